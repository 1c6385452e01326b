"""What machines tell while they are at it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from api.alerts.models import AlertKind
from api.machines.deployments import Deployments
from api.machines.lifecycle import lock_machine
from api.machines.models import Deployment, DeploymentStatus
from api.machines.netboot.phases import MAX_CHUNKS
from api.machines.progress import silent_seconds
from api.operations.events import read_after
from api.operations.models import Operation
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from tests.fixtures.boot_service import BootService, RentedMachine, boot_profile, facts_of
from tests.fixtures.shop import Shop

_SECONDS_A_DAY = 86_400


def test_phases_become_lines_of_the_log_in_words(boot_service: BootService, rented: RentedMachine) -> None:
    """A customer reads them."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())

    for phase, detail in (("write", "10 %"), ("verify", ""), ("configure", "md0"), ("reboot", "")):
        assert booted.phase(phase, detail).status_code == 204

    assert boot_service.log(booted.deployment_id)[2:] == [
        "Writing the image to the disk: 10 %",
        "Comparing what was written.",
        "Placing name, keys and network: md0",
        "Everything is on the disk; restarting from there.",
    ]
    assert boot_service.deployment(booted.deployment_id).phase is DeploymentPhase.REBOOT


def test_a_phase_that_is_told_again_after_a_lost_answer_is_one_line(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """The initrd repeats what got no answer."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    before = len(boot_service.log(booted.deployment_id))

    for _ in range(3):
        booted.phase("write", "10 %")

    assert len(boot_service.log(booted.deployment_id)) == before + 1


@pytest.mark.parametrize("phase", ["", "done", "power", "script", "first_boot", "WRITE", "write\n", "x" * 9000])
def test_a_machine_tells_only_its_own_phases(boot_service: BootService, rented: RentedMachine, phase: str) -> None:
    """Above all not that it is verified."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())

    assert booted.phase(phase).status_code == 422
    assert boot_service.deployment(booted.deployment_id).phase is DeploymentPhase.INSPECT


def test_what_a_machine_says_is_cleaned_before_anybody_reads_it(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """No escape sequence, no new line, no NUL, and not without end."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())

    booted.phase("write", "\x1b[31mred\x00\r\nPaid in full: yes \u202e" + "x" * 2000).raise_for_status()

    line = boot_service.log(booted.deployment_id)[-1]
    assert line.startswith("Writing the image to the disk: red Paid in full: yes xxx")
    assert line.isprintable()
    assert len(line) < 500


def test_a_wrong_session_tells_nothing(boot_service: BootService, rented: RentedMachine) -> None:
    """Nor does the token, nor the session of an earlier boot."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    session = booted.plan["session"]

    for wrong in (booted.token, "nonsense", session[:-1], session + "x"):
        booted.plan["session"] = wrong
        assert booted.phase("write").status_code == 401

    assert boot_service.deployment(booted.deployment_id).phase is DeploymentPhase.INSPECT


def test_a_later_boot_replaces_the_session(boot_service: BootService, rented: RentedMachine) -> None:
    """A machine that was cut off and starts again is the one that counts."""
    first = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    second = boot_service.boot(rented.machine)
    second.check_in(
        {
            "serial": rented.machine.serial,
            "cores": 2,
            "memory_mib": 2048,
            "nics": [{"name": f"eth{number}", "mac": mac} for number, mac in enumerate(rented.machine.macs)],
            "disks": [{"name": "sda", "size_bytes": 1 << 40}],
            "firmware": "uefi",
        }
    ).raise_for_status()

    assert first.phase("write").status_code == 401
    assert second.phase("write").status_code == 204


def test_after_an_abort_a_machine_is_told_to_touch_nothing_more(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """Phases, files, reports and the call back: all gone."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    boot_service.change(
        lambda session: Deployments(session).end(
            session.get_one(Deployment, booted.deployment_id), DeploymentStatus.ABORTED, "aborted", "a test"
        )
    )

    answers = [
        booted.phase("write"),
        booted.file("hostname"),
        booted.report(b"{}"),
        booted.post("failure", data={"code": "no_disk"}),
        booted.post("console", content=b"hello"),
        booted.post("running"),
    ]
    assert [answer.status_code for answer in answers] == [410] * 6


def test_a_quarantined_machine_is_told_to_touch_nothing_more(boot_service: BootService, rented: RentedMachine) -> None:
    """Whatever deployment may still be open."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    rented.become(MachineState.QUARANTINE)

    assert booted.phase("write").status_code == 410


@pytest.mark.parametrize(
    ("told", "stored"),
    [
        ("image_checksum", "image_checksum"),
        ("image_cut_off", "image_cut_off"),
        ("disk_too_small", "disk_too_small"),
        ("'; DROP TABLE machines; --", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_machine_that_gives_up_says_why_and_waits_for_another_try(
    boot_service: BootService, rented: RentedMachine, told: str, stored: str
) -> None:
    """An installation that failed leaves the machine as it is: the control plane decides."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())

    answer = booted.post("failure", data={"phase": "write", "code": told, "detail": "half of it\ncame"})

    assert answer.status_code == 204
    deployment = boot_service.deployment(booted.deployment_id)
    assert (deployment.status, deployment.error_code) == (DeploymentStatus.FAILED, stored)
    assert (deployment.error_detail or "").endswith("half of it came")
    assert boot_service.machine(rented.machine).state is MachineState.DEPLOYING


@pytest.mark.parametrize("told", ["wrong_machine", "wrong_serial"])
def test_an_initrd_that_finds_itself_on_the_wrong_machine_puts_it_into_quarantine(
    boot_service: BootService, rented: RentedMachine, told: str
) -> None:
    """It compares for itself, too."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    booted.post("failure", data={"phase": "inspect", "code": told, "detail": "no"}).raise_for_status()

    assert boot_service.deployment(booted.deployment_id).error_code == "wrong_machine"
    assert boot_service.machine(rented.machine).state is MachineState.QUARANTINE


def test_a_wipe_that_fails_puts_the_machine_into_quarantine(boot_service: BootService) -> None:
    """Nobody knows what is on it."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    booted = boot_service.booted(machine, DeploymentKind.WIPE)
    booted.post("failure", data={"phase": "write", "code": "wipe_failed", "detail": "vdb"}).raise_for_status()

    assert boot_service.machine(machine).state is MachineState.QUARANTINE
    assert boot_service.alerts(AlertKind.MACHINE_QUARANTINED) == [(str(machine.id), 1)]


def test_the_installed_system_calls_back_once(boot_service: BootService, rented: RentedMachine) -> None:
    """With what the file ``callback`` held; a second time is refused, and told of."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    address, token = booted.file("callback").text.splitlines()
    assert address == f"http://192.0.2.10:8080/deployments/{booted.deployment_id}/running"
    headers = {"Authorization": f"Bearer {token}"}

    first, again = (
        boot_service.http.post(f"{booted.base}/running", headers=headers, data={"hostname": "box-1"}) for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (204, 403)
    assert boot_service.deployment(booted.deployment_id).phase is DeploymentPhase.FIRST_BOOT
    assert boot_service.deployment(booted.deployment_id).status is DeploymentStatus.OPEN
    assert boot_service.alerts(AlertKind.TOKEN_MISUSED) == [(str(rented.machine.id), 1)]
    assert booted.phase("write").status_code == 401


def test_the_rescue_system_tells_that_it_answers(boot_service: BootService, rented: RentedMachine) -> None:
    """It has no call back: it is the initrd itself."""
    rented.become(MachineState.ACTIVE)
    rented.become(MachineState.RESCUE)
    booted = boot_service.booted(rented.machine, DeploymentKind.RESCUE, boot_profile())

    assert booted.phase("first_boot").status_code == 204
    assert boot_service.deployment(booted.deployment_id).phase is DeploymentPhase.FIRST_BOOT


def test_console_output_is_kept_cleaned_and_bounded(boot_service: BootService, rented: RentedMachine) -> None:
    """Lines stay; what controls a terminal goes; after a number of pieces the rest is dropped."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())

    assert booted.post("console", content=b"\x1b[1mone\x1b[0m\r\ntwo\x00\xff\ttab\n").status_code == 204
    assert booted.post("console", content=b"x" * (64 * 1024 + 1)).status_code == 413
    assert boot_service.console(booted.deployment_id) == ["one\ntwo \ufffd\ttab\n"]
    for _ in range(MAX_CHUNKS + 2):
        assert booted.post("console", content=b"more").status_code == 204
    assert len(boot_service.console(booted.deployment_id)) == MAX_CHUNKS


def test_a_machine_is_seen_whenever_it_speaks(boot_service: BootService, rented: RentedMachine) -> None:
    """Who looks after the pool can tell a silent machine."""
    before = boot_service.now()
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    long_ago = update(type(rented.machine)).values(last_seen_at=before - timedelta(days=1))
    boot_service.change(lambda session: session.execute(long_ago))

    booted.phase("write").raise_for_status()

    assert boot_service.change(lambda s: lock_machine(s, rented.machine.id).last_seen_at or before) > before


def test_an_engine_is_told_how_long_the_initrd_has_been_silent(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """From its check-in on; an installer, which does not speak each minute, is never silent."""
    deployment_id = boot_service.open(rented.machine, DeploymentKind.INSTALL, boot_profile())

    def silence() -> float | None:
        return boot_service.change(lambda session: silent_seconds(session, session.get_one(Deployment, deployment_id)))

    booted = boot_service.boot(rented.machine)
    assert silence() is None
    booted.check_in(facts_of(rented.machine)).raise_for_status()
    assert 0 <= (silence() or 0.0) < _SECONDS_A_DAY
    long_ago = update(type(rented.machine)).values(last_seen_at=boot_service.now() - timedelta(days=1))
    boot_service.change(lambda session: session.execute(long_ago))
    assert (silence() or 0.0) >= _SECONDS_A_DAY
    booted.phase("write").raise_for_status()
    assert (silence() or 0.0) < _SECONDS_A_DAY


def test_an_operation_that_is_cancelled_ends_its_deployment_for_the_machine(
    boot_service: BootService, shop: Shop
) -> None:
    """Its phases are lines of the operation's log until then; afterwards the machine is to touch nothing more."""
    order_id = shop.place_paid()
    (operation,) = shop.operations(order_id)
    machine = boot_service.add_machine(MachineState.DEPLOYING, workload_id=shop.workload(order_id).id)
    boot_service.open(machine, DeploymentKind.INSTALL, boot_profile(), operation_id=operation.id)
    booted = boot_service.boot(machine)
    booted.check_in(facts_of(machine)).raise_for_status()
    booted.phase("write", "10 %").raise_for_status()

    said = boot_service.change(lambda session: read_after(session, operation.id, 0))
    asked = update(Operation).where(Operation.id == operation.id).values(cancel_requested_at=boot_service.now())
    boot_service.change(lambda session: session.execute(asked))

    assert [line.message for line in said if line.kind == "machine"][-1] == "Writing the image to the disk: 10 %"
    assert booted.phase("write", "20 %").status_code == 410
    assert "sanboot" in boot_service.script(machine)
    assert boot_service.deployment(booted.deployment_id).status is DeploymentStatus.OPEN
