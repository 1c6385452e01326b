"""SSH keys at the lab's Robot."""

import pytest
from pydantic import ValidationError

from components.robot.client import Robot
from components.robot.keys import Keys
from components.specs.robot_key import RobotKeySpec
from lab.client import RunningLab

DATA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
KEY = RobotKeySpec(name="ops", data=f"{DATA} ops@example")


def test_a_key_is_made_known_once_renamed_and_forgotten(robot_login: Robot) -> None:
    """By its fingerprint, which is computed as Robot does it; a comment is no part of the key."""
    keys = Keys(robot_login)
    assert keys.ensure(KEY) == keys.ensure(KEY) == keys.get(KEY.fingerprint)
    renamed = keys.ensure(KEY.model_copy(update={"name": "other"}))
    assert keys.get(KEY.fingerprint) == renamed
    assert (renamed.name, renamed.data) == ("other", DATA)
    keys.forget(KEY.fingerprint)
    keys.forget(KEY.fingerprint)
    assert keys.get(KEY.fingerprint) is None


def test_lost_answers_cost_a_look(robot_login: Robot, lab: RunningLab) -> None:
    """The key is there, or gone, all the same."""
    keys = Keys(robot_login)
    with lab.faults.robot.during("lose_answer", method="POST", times=1):
        keys.ensure(KEY)
    with lab.faults.robot.during("lose_answer", method="DELETE", times=1):
        keys.forget(KEY.fingerprint)
    assert keys.get(KEY.fingerprint) is None


@pytest.mark.parametrize(
    "data", ["", "ssh-ed25519", "ssh-dss AAAA", "ssh-rsa ***", "-----BEGIN OPENSSH PRIVATE KEY-----"]
)
def test_what_is_no_public_key_is_refused(data: str) -> None:
    """A private one above all."""
    with pytest.raises(ValidationError, match="public SSH key"):
        RobotKeySpec(name="ops", data=data)
