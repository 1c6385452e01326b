"""The lab's bare-metal pool, brought up and taken down by hand with the real CLI."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from automation.toolchain import Toolchain
from components.specs.platform import ServerReport, parse_report
from lab.client import RunningLab
from tests.fixtures.by_hand import REPOSITORY, Project

pytestmark = pytest.mark.engine

STACK = "lab-bare-metal-pool"
FILE = f"Pulumi.{STACK}.yaml"
MACHINES = """\
    machines:
      - name: box-1
        machine_class: metal-small
        serial: SN-0001
        boot_mac: 52:54:00:0a:00:01
        cores: 8
        memory_mib: 65536
        disk_gib: 477
        disk_count: 2
        server: metal-1
        rack: FSN1-DC14 R7
        vlan: 4000
        bmc: {driver: redfish, address: "https://10.21.0.1", system: "1"}
"""
"""What the lab's file has none of: the machines of its pool are enrolled by whoever starts them."""


@pytest.fixture
def robot(bare_lab: RunningLab) -> Iterator[httpx.Client]:
    """Somebody at Robot by hand."""
    section = bare_lab.document.robot
    with httpx.Client(base_url=section.base_url, auth=(section.login, section.password)) as client:
        yield client


@pytest.fixture
def project(bare_lab: RunningLab, toolchain: Toolchain, tmp_path: Path) -> Project:
    """A clone with the pool's stack."""
    text = (REPOSITORY / FILE).read_text(encoding="utf-8")
    untold = text.replace("  slipway:spec:\n", "  slipway:spec:\n    tells_inventory: false\n", 1)
    (tmp_path / FILE).write_text(untold + MACHINES, encoding="utf-8")
    made = Project(tmp_path, toolchain, bare_lab.platform)
    answer = made.pulumi("stack", "init", STACK)
    assert answer.returncode == 0, answer.stderr
    return made


def run(project: Project, *arguments: str) -> str:
    """Run the CLI; it has to succeed."""
    answer = project.pulumi(*arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def pending(project: Project, *options: str) -> dict[str, int]:
    """What an ``up`` would do, by kind."""
    changes: dict[str, int] = json.loads(run(project, "preview", "--json", *options))["changeSummary"]
    return {kind: count for kind, count in changes.items() if kind != "same"}


def seen(robot: httpx.Client) -> tuple[list[str], dict[str, str], list[str]]:
    """Names, reverse DNS and the state of the firewalls of the pool's servers."""
    names = [item["server"]["server_name"] for item in robot.get("/server").json()]
    answer = robot.get("/rdns")
    entries = answer.json() if answer.is_success else []
    firewalls = [robot.get(f"/firewall/{number}").json()["firewall"]["status"] for number in (321_004, 321_005)]
    return names[3:], {entry["rdns"]["ip"]: entry["rdns"]["ptr"] for entry in entries}, firewalls


def test_the_pool_comes_up_stays_and_goes(project: Project, robot: httpx.Client) -> None:
    """Unchanged previews are empty, what somebody does by hand is seen, and in the end nothing of ours is left."""
    robot.post("/server/321004", data={"server_name": "new"})
    run(project, "up", "--yes", "--skip-preview")
    rdns = {"198.18.0.5": "metal-1.slipway.example", "198.18.0.6": "metal-2.slipway.example"}
    assert seen(robot) == (["metal-1", "metal-2"], rdns, ["active", "active"])
    assert (pending(project), pending(project, "--refresh")) == ({}, {})

    outputs: dict[str, Any] = json.loads(run(project, "stack", "output", "--json"))
    assert outputs["servers"]["metal-1"] == {"number": 321_004, "address": "198.18.0.5"}
    reports = [ServerReport.model_validate(item) for item in outputs["inventory"]["servers"]]
    (machine,) = parse_report(outputs["inventory"]).machines
    assert (machine.name, machine.site, machine.server_number, machine.vlan) == ("box-1", "fsn", 321_004, 4000)
    assert [(item.name, item.site, item.product) for item in reports] == [
        ("metal-1", "fsn", "AX41-NVMe"),
        ("metal-2", "fsn", "AX41-NVMe"),
    ]

    _wait_until_it_is_taken(robot)
    robot.delete("/firewall/321005").raise_for_status()
    assert pending(project, "--refresh") == {"update": 1}
    run(project, "destroy", "--yes", "--skip-preview")
    assert seen(robot) == (["metal-1", "metal-2"], {}, ["disabled", "disabled"])


def _wait_until_it_is_taken(robot: httpx.Client) -> None:
    while robot.get("/firewall/321005").json()["firewall"]["status"] == "in process":
        pass


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("number: 321005", "number: 321004"), "the number '321004' is given twice"),
        (("name: metal-2", "name: metal-1"), "the name 'metal-1' is given twice"),
        (("198.18.0.6: ", "198.18.0.5: "), "the address '198.18.0.5' is given twice"),
        (("firewall: customer", "firewall: none"), "names the firewall 'none'; there is customer"),
        (
            ("protocol: icmp", "protocol: icmp6"),
            f"{FILE}:10: slipway:spec.firewalls.customer.input.0.protocol",
        ),
        (("number: 321005", "number: 999999"), "Robot has no server 999999 for this login"),
    ],
)
def test_a_wrong_configuration_is_refused(
    project: Project, robot: httpx.Client, tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    """By file, line and key where that can be known before Robot is asked."""
    path = tmp_path / FILE
    content = path.read_text()
    assert change[0] in content
    path.write_text(content.replace(*change, 1))
    answer = project.pulumi("up", "--yes", "--skip-preview")
    assert answer.returncode != 0
    assert problem in answer.stdout + answer.stderr
    assert seen(robot)[0] == ["metal-1", "metal-2"]
