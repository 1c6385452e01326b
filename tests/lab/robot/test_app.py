"""The Robot stand-in as a process of the lab."""

from pathlib import Path

import httpx
import pytest

from lab.client import RunningLab, start

pytestmark = pytest.mark.processes


def _robot(lab: RunningLab) -> httpx.Client:
    section = lab.document.robot
    return httpx.Client(base_url=section.base_url, auth=(section.login, section.password))


def test_what_the_account_owns_outlives_a_restart(tmp_path: Path) -> None:
    """As the real one would; address and login stay too."""
    with start(tmp_path, nodes="cloud=1") as lab, _robot(lab) as robot:
        robot.post("/vswitch", data={"name": "lan", "vlan": 4000})
        robot.post("/server/321001", data={"server_name": "renamed"})
        section, vswitches = lab.document.robot, robot.get("/vswitch").json()
    with start(tmp_path, nodes="cloud=2") as again, _robot(again) as robot:
        assert again.document.robot == section
        assert robot.get("/vswitch").json() == vswitches
        names = [item["server"]["server_name"] for item in robot.get("/server").json()]
        assert names == ["renamed", "metal-1", "metal-2", "cloud-2"]


def test_what_cannot_be_read_is_a_wrong_parameter(lab: RunningLab) -> None:
    """In the webservice's own form of errors."""
    with _robot(lab) as robot:
        answer = robot.get("/vswitch/x")
    assert (answer.status_code, answer.json()["error"]["invalid"]) == (400, ["number"])
