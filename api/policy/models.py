"""Tables of policy."""
