"""Carries platform runs out: the provider's own stacks, with the discipline of operations."""
