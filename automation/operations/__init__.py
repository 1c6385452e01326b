"""Carries operations out: takes the lease, runs the engine, verifies on the node, writes the result."""
