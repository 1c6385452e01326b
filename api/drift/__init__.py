"""Drift and orphans: where the world and our tables differ, and what may be done about it."""
