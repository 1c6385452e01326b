"""The ``nodes`` stack on the real engine."""

from tests.fixtures.live_stack import toolchain
from tests.fixtures.node_estate import desk, node_estate

__all__ = ["desk", "node_estate", "toolchain"]
