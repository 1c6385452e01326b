"""``slipway machine``, at a real API."""

from pathlib import Path

import pytest
import yaml

from api.auth.models import Role
from api.db.session import Database
from api.jobs import Job
from api.machines.models import ConsoleChunk, Machine
from components.specs.machine import MachineState
from tests.automation.cli.conftest import Terminal
from tests.fixtures.api import PASSWORD, Api
from tests.fixtures.machines import MetalApi, Stable
from tests.fixtures.shop import Shop

S = MachineState
IRON = {
    "name": "iron-1",
    "site": "fsn",
    "machine_class": "ax41",
    "serial": "SN-9001",
    "boot_mac": "52:54:00:aa:00:01",
    "cores": 8,
    "memory_mib": 65_536,
    "disk_gib": 447,
    "disk_count": 2,
    "bmc_driver": "redfish",
    "bmc_address": "https://10.30.0.11",
    "bmc_user": "slipway",
}


@pytest.fixture
def iron(api: Api, api_shop: Shop) -> MetalApi:
    """The API with a pool behind it."""
    return MetalApi(api, Stable(api_shop))


@pytest.fixture
def operator(at_api: Terminal, iron: MetalApi) -> Terminal:
    """A terminal at which an operator is logged in."""
    at_api.environment["SLIPWAY_PASSWORD"] = PASSWORD
    at_api.run("login", "--email", iron.api.staff(Role.OPERATOR).email)
    return at_api


def test_machines_are_told_of_in_a_file_and_a_password_follows(
    operator: Terminal, iron: MetalApi, tmp_path: Path, database: Database
) -> None:
    """One that is refused keeps no other away, and ends with 1."""
    file = tmp_path / "machines.yaml"
    file.write_text(yaml.safe_dump([IRON, IRON | {"name": "iron-2", "vlan": 5000}]), encoding="utf-8")
    said = operator.run("machine", "enroll", str(file), exit_code=1).output
    assert "iron-1: enroll" in said
    assert "iron-2: " in said
    assert "vlan" in said
    assert "1 of 2 machines were refused" in said
    operator.run("machine", "password", "iron-1", typed="bmc secret\n")
    with database.transaction() as transaction:
        (machine,) = transaction.session.query(Machine).all()
    assert iron.stable.shop.vault.open(machine.bmc_password_encrypted or b"") == "bmc secret"


@pytest.mark.parametrize("content", ["[", "- just a text", "[]"])
def test_a_file_that_is_none_is_named(operator: Terminal, tmp_path: Path, content: str) -> None:
    """Nothing is sent."""
    file = tmp_path / "machines.yaml"
    file.write_text(content, encoding="utf-8")
    assert str(file) in operator.run("machine", "enroll", str(file), exit_code=1).output.replace("\n", "")


def test_the_pool_is_listed_and_a_machine_shown(operator: Terminal, iron: MetalApi) -> None:
    """As tables, and as JSON for programs."""
    machine = iron.stable.add(installed={"image": "debian-12"})
    iron.stable.add(S.QUARANTINE, state_reason="its fan is dead")
    listed = operator.run("machine", "list").stdout
    assert machine.name in listed
    assert "its fan is dead" in listed
    assert machine.name not in operator.run("machine", "list", "--state", "quarantine", "--class", "ax41").stdout
    assert '"state": "available"' in operator.run("machine", "list", "--json").stdout
    shown = operator.run("machine", "show", machine.name).stdout
    for said in (
        machine.serial,
        "8 cores, 64 GiB, 2 disks of 447 GiB",
        "nothing written since",
        "deposited",
        "debian-12",
    ):
        assert said in shown
    assert machine.serial in operator.run("machine", "show", machine.name, "--json").stdout


def test_a_machine_is_inspected_taken_out_of_use_and_brought_back(operator: Terminal, iron: MetalApi) -> None:
    """And its deployment's log is shown, without what would drive the terminal."""
    machine = iron.stable.add()
    assert "never booted" in operator.run("machine", "events", machine.name, exit_code=1).output
    assert "is being inspected" in operator.run("machine", "inspect", machine.name, "--reason", "new").stdout
    (inspect,) = iron.stable.deployments(machine)
    iron.stable.shows_itself(inspect.id)
    iron.stable.change(lambda session: session.add(ConsoleChunk(deployment_id=inspect.id, text="Linux\x1b[2J\n")))
    assert "At reboot." in operator.run("machine", "events", machine.name).stdout
    assert operator.run("machine", "events", machine.name, "--console").stdout == "Linux[2J\n"
    assert "inspect: open, at reboot" in operator.run("machine", "show", machine.name).stdout
    assert "is in quarantine" in operator.run("machine", "quarantine", machine.name, "--reason", "loud").stdout
    operator.run("machine", "release", machine.name, "--reason", "quiet again")
    assert iron.stable.state(machine) is S.INSPECT


def test_a_customers_machine_needs_a_word_more(operator: Terminal, iron: MetalApi) -> None:
    """It says which."""
    workload = iron.stable.shop.workload(iron.stable.shop.place())
    machine = iron.stable.add(S.ACTIVE, workload_id=workload.id)
    words = ("machine", "quarantine", machine.name, "--reason", "loud")
    assert "affects_customer" in operator.run(*words, exit_code=1).output
    operator.run(*words, "--affects-customer")
    assert iron.stable.state(machine) is S.QUARANTINE


def test_power_is_asked_for(operator: Terminal, iron: MetalApi) -> None:
    """A worker does it."""
    machine = iron.stable.add()
    operator.run("machine", "power", machine.name, "cycle", "--reason", "it hangs")
    assert iron.api.jobs.of(Job.POWER_MACHINE) == [(machine.id, "cycle")]
