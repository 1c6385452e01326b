"""A login at the lab's Robot, as a provider has it."""

from collections.abc import Iterator

import httpx
import pytest

from components.robot.budget import RequestBudget
from components.robot.client import Robot
from lab.client import RunningLab


@pytest.fixture
def robot_login(lab: RunningLab) -> Iterator[Robot]:
    """Pauses of the client set the lab's clock forward, so nothing waits."""
    section = lab.document.robot
    with httpx.Client(base_url=section.base_url, auth=(section.login, section.password)) as http:
        yield Robot(http, RequestBudget(lambda: 0.0), lab.faults.robot.advance)
