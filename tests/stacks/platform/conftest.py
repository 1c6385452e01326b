"""Fixtures of platform stacks on the real engine."""

from tests.fixtures.small_estate import small_estate

__all__ = ["small_estate"]
