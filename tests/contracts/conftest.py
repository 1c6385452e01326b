"""The real toolchain for the contract of the real plugin."""

from tests.fixtures.live_stack import toolchain

__all__ = ["toolchain"]
