"""From the environment to a login."""

import pytest

from components.robot.connection import robot_settings, shared_robot
from components.robot.errors import RobotError


def test_the_process_has_one_connection_for_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody has to know that it was refused; another login is another connection."""
    monkeypatch.setenv("HETZNER_ROBOT_USER", "#ws+one")
    monkeypatch.setenv("HETZNER_ROBOT_PASSWORD", "made up")
    one = shared_robot(robot_settings())
    assert shared_robot(robot_settings()) is one
    monkeypatch.setenv("HETZNER_ROBOT_USER", "#ws+two")
    assert shared_robot(robot_settings()) is not one
    assert "made up" not in repr(robot_settings())


def test_a_missing_login_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable to set."""
    monkeypatch.delenv("HETZNER_ROBOT_USER", raising=False)
    monkeypatch.setenv("HETZNER_ROBOT_PASSWORD", "made up")
    with pytest.raises(RobotError, match="HETZNER_ROBOT_USER: Field required"):
        robot_settings()
