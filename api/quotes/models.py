"""Tables of quotes."""
