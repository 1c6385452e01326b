"""The lab's own estate by the real CLI."""

from pathlib import Path

import httpx
import pytest

from automation.toolchain import Toolchain
from lab.client import RunningLab
from tests.fixtures.live_stack import toolchain
from tests.fixtures.platform_stacks import PlatformStacks
from tests.fixtures.robot_estate import robot

__all__ = ["robot", "stacks", "toolchain"]


@pytest.fixture
def stacks(toolchain: Toolchain, lab: RunningLab, tmp_path: Path) -> PlatformStacks:
    """An estate of which nothing is there yet."""
    return PlatformStacks(tmp_path, toolchain, lab)


@pytest.fixture
def vswitches(robot: httpx.Client) -> "VSwitchesThere":
    """Tell what is at Robot."""
    return VSwitchesThere(robot)


class VSwitchesThere:
    """The vSwitches that are not cancelled."""

    def __init__(self, robot: httpx.Client) -> None:
        self._robot = robot

    def __call__(self) -> list[tuple[str, int]]:
        """Name and VLAN of each."""
        found = self._robot.get("/vswitch").json()
        return [(item["name"], item["vlan"]) for item in found if not item["cancelled"]]
