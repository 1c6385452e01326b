"""The ``nodes`` stack on the real engine."""

from tests.fixtures.node_estate import desk, node_estate

__all__ = ["desk", "node_estate"]
