"""Who gets a boot script that does more than boot the disk."""

import re
from uuid import UUID

import pytest
from sqlalchemy import update

from api.alerts.models import AlertKind
from api.machines.lifecycle import lock_machine, move
from api.machines.models import Deployment, DeploymentStatus
from api.machines.netboot.scripts import MAX_STRANGERS
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from tests.fixtures.boot_service import BootService, RentedMachine, boot_profile
from tests.races import at_once

STRANGER = "52:54:00:ff:ff:01"
LOCAL, NETWORK = "sanboot --no-describe --drive 0x80", "/boot/kernel"


def test_an_unknown_machine_boots_its_own_disk_and_is_told_of_once(boot_service: BootService) -> None:
    """However often it asks, there is one alert, and never an installer."""
    scripts = [boot_service.script(STRANGER) for _ in range(3)]

    assert all(LOCAL in script and NETWORK not in script for script in scripts)
    assert boot_service.alerts(AlertKind.UNKNOWN_BOOT) == [(STRANGER, 3)]


def test_a_crowd_of_unknown_machines_makes_no_crowd_of_alerts(boot_service: BootService) -> None:
    """MAC addresses are free to make up; a table of alerts is not free to read."""
    for number in range(MAX_STRANGERS + 3):
        boot_service.script(f"52:54:00:ff:00:{number:02x}")

    alerts = boot_service.alerts(AlertKind.UNKNOWN_BOOT)
    assert len(alerts) == MAX_STRANGERS + 1
    assert alerts[-1] == ("many", 3)


def test_a_machine_that_becomes_known_is_no_stranger_any_more(boot_service: BootService) -> None:
    """Enrolling it answers the alert."""
    boot_service.script(STRANGER)
    boot_service.script(boot_service.add_machine(boot_mac=STRANGER))

    assert boot_service.alerts(AlertKind.UNKNOWN_BOOT) == []


@pytest.mark.parametrize(
    "state", [MachineState.ENROLL, MachineState.INSPECT, MachineState.CLEAN, MachineState.QUARANTINE]
)
def test_a_machine_without_a_deployment_boots_its_own_disk(boot_service: BootService, state: MachineState) -> None:
    """A state alone is no reason to touch anything."""
    script = boot_service.script(boot_service.add_machine(state))

    assert LOCAL in script
    assert boot_service.alerts(AlertKind.UNKNOWN_BOOT) == []


def test_an_open_deployment_gets_kernel_initrd_and_a_token(boot_service: BootService) -> None:
    """The script says all that the initrd needs to speak for this machine; its one secret is good for one use."""
    machine = boot_service.add_machine()
    deployment_id = boot_service.open(machine, DeploymentKind.INSPECT)

    script = boot_service.script(machine)

    base = "http://192.0.2.10:8080"
    assert script.startswith("#!ipxe\n")
    assert f"slipway.url={base} slipway.deployment={deployment_id} slipway.token=" in script
    assert f"slipway.mac={machine.boot_mac} console=ttyS0" in script
    assert f"initrd --name initrd {base}/boot/initrd" in script
    token = re.search(r"slipway\.token=(\S+)", script)
    deployment = boot_service.deployment(deployment_id)
    assert token
    assert deployment.boots == 1
    assert deployment.phase is DeploymentPhase.SCRIPT
    assert token[1].encode() not in (deployment.token_hash or b"")
    assert boot_service.log(deployment_id) == ["The machine asked for its boot script (1 of at most 3)."]


def test_each_script_has_a_fresh_token_and_the_one_before_is_void(boot_service: BootService) -> None:
    """Only the newest boot of a machine may speak for it."""
    machine = boot_service.add_machine()
    boot_service.open(machine, DeploymentKind.INSPECT)
    first, second = boot_service.boot(machine), boot_service.boot(machine)

    assert first.token != second.token
    assert first.check_in({}).status_code == 403


def test_a_quarantined_machine_is_given_nothing_even_with_an_open_deployment(boot_service: BootService) -> None:
    """The state has the last word."""
    machine = boot_service.add_machine()
    deployment_id = boot_service.open(machine, DeploymentKind.INSPECT)
    boot_service.change(
        lambda session: move(session, lock_machine(session, machine.id), MachineState.QUARANTINE, "a test")
    )

    assert LOCAL in boot_service.script(machine)
    assert boot_service.deployment(deployment_id).boots == 0


def test_a_machine_that_boots_again_and_again_fails_as_a_boot_loop(boot_service: BootService) -> None:
    """At the fourth time it is its own disk, the deployment has failed; a wipe that fails means quarantine."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    deployment_id = boot_service.open(machine, DeploymentKind.WIPE)
    scripts = [boot_service.script(machine) for _ in range(5)]

    assert [NETWORK in script for script in scripts] == [True, True, True, False, False]
    deployment = boot_service.deployment(deployment_id)
    assert (deployment.status, deployment.error_code) == (DeploymentStatus.FAILED, "boot_loop")
    assert deployment.token_hash is None
    assert boot_service.machine(machine).state is MachineState.QUARANTINE
    assert [subject for subject, _ in boot_service.alerts(AlertKind.MACHINE_QUARANTINED)] == [str(machine.id)]


def test_an_installed_machine_whose_firmware_ignores_boot_once_starts_from_its_disk(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """Once the installation is on the disk, asking for a script again is answered by the disk, and is no boot."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    assert booted.phase("reboot").status_code == 204

    scripts = [boot_service.script(rented.machine) for _ in range(5)]

    assert all(LOCAL in script for script in scripts)
    deployment = boot_service.deployment(booted.deployment_id)
    assert (deployment.status, deployment.boots) == (DeploymentStatus.OPEN, 1)
    assert boot_service.log(booted.deployment_id)[-1].startswith("The machine boots from its disk")


def test_an_active_machine_boots_its_own_disk_and_its_boot_order_is_told_of(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """A customer's machine is never given an installer; that it asks means that its boot order is wrong."""
    rented.become(MachineState.ACTIVE)

    assert all(LOCAL in boot_service.script(rented.machine) for _ in range(2))
    assert boot_service.alerts(AlertKind.UNKNOWN_BOOT) == [(str(rented.machine.id), 2)]


def test_an_active_machine_with_a_deployment_that_should_not_be_boots_its_own_disk(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """Two things would have to be wrong at once before a customer's machine is touched."""
    boot_service.open(rented.machine, DeploymentKind.INSTALL, boot_profile())
    rented.become(MachineState.ACTIVE)

    assert LOCAL in boot_service.script(rented.machine)


def test_a_deployment_whose_time_is_over_is_not_begun(boot_service: BootService) -> None:
    """Whoever watches deadlines may be late; the machine is not touched meanwhile."""
    machine = boot_service.add_machine()
    deployment_id = boot_service.open(machine, DeploymentKind.INSPECT)
    late = update(Deployment).where(Deployment.id == deployment_id).values(deadline_at=boot_service.now())
    boot_service.change(lambda session: session.execute(late))

    assert LOCAL in boot_service.script(machine)


def test_scripts_asked_for_at_once_are_counted_each(boot_service: BootService) -> None:
    """Three get one, each another; the rest boot the disk: no two requests see the same count."""
    machine = boot_service.add_machine()
    deployment_id = boot_service.open(machine, DeploymentKind.INSPECT)

    scripts = at_once([lambda: boot_service.script(machine)] * 8)

    assert sum(NETWORK in script for script in scripts) == 3
    assert len({re.findall(r"slipway\.token=(\S+)", script)[0] for script in scripts if NETWORK in script}) == 3
    assert boot_service.deployment(deployment_id).boots == 3


@pytest.mark.parametrize("mac", ["52-54-00-00-00", "52:54:00:00:00:01x", "AA-BB-CC-DD-EE-FF", str(UUID(int=7))])
def test_what_is_no_mac_address_gets_nothing(boot_service: BootService, mac: str) -> None:
    """And makes no alert."""
    assert boot_service.http.get(f"/ipxe/{mac}").status_code in {404, 422}
    assert boot_service.alerts(AlertKind.UNKNOWN_BOOT) == []
