"""Dedicated machines: the pool, their lives, deployments to them, and the proof that they were wiped."""
