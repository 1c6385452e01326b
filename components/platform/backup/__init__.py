"""The backup server, what is configured on it, and the nodes' way to it."""
