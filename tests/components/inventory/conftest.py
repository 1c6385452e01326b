"""A stack on the real engine that tells a real API."""

from tests.fixtures.robot_estate import estate, robot

__all__ = ["estate", "robot"]
