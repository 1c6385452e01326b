"""Tables of drift and orphans."""
