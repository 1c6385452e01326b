"""The real toolchain for the tests that need it."""

from tests.fixtures.live_stack import toolchain

__all__ = ["toolchain"]
