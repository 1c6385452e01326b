"""A stack on the real engine for what Robot has."""

from tests.fixtures.robot_estate import estate, robot

__all__ = ["estate", "robot"]
