"""Reports: an inspection is kept, and a wipe has to be proven."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from api.alerts.models import AlertKind
from api.machines.lifecycle import lock_machine
from api.machines.models import DeploymentStatus
from api.machines.netboot.reports import is_sealed
from api.vault import Vault, generate_key
from components.specs.machine import DeploymentKind, MachineState
from tests.fixtures.boot_service import GIB, BootService, RentedMachine, boot_profile, facts_of, wipe_claim

Claim = dict[str, Any]


def encoded(document: Any) -> bytes:
    """Return a document as JSON."""
    return json.dumps(document).encode()


def test_a_proven_wipe_is_sealed_and_opens_the_gate(boot_service: BootService, rented: RentedMachine) -> None:
    """The proof names whose data is gone; from then on the machine may be offered again."""
    rented.become(MachineState.CLEANING)
    booted = boot_service.booted(rented.machine, DeploymentKind.WIPE)
    body = encoded(wipe_claim(facts_of(rented.machine)))

    assert booted.report(body).status_code == 204

    assert boot_service.deployment(booted.deployment_id).status is DeploymentStatus.SUCCEEDED
    (report,) = boot_service.wipe_reports(rented.machine)
    assert (report.body, report.workload_id) == (body, rented.workload_id)
    assert is_sealed(boot_service.runtime.vault, report)
    assert not is_sealed(Vault(generate_key()), report)
    rented.become(MachineState.AVAILABLE)
    assert boot_service.machine(rented.machine).state is MachineState.AVAILABLE


def test_a_report_that_is_repeated_after_a_lost_answer_is_taken_once(boot_service: BootService) -> None:
    """The initrd need not know that the first one came through; another report is too late."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    booted = boot_service.booted(machine, DeploymentKind.WIPE)
    body = encoded(wipe_claim(facts_of(machine)))

    assert [booted.report(body).status_code for _ in range(3)] == [204, 204, 204]
    assert booted.report(encoded(wipe_claim(facts_of(machine), seconds=4))).status_code == 410
    assert len(boot_service.wipe_reports(machine)) == 1


def _changed(index: int, **changes: Any) -> Callable[[Claim], Claim]:
    def change(claim: Claim) -> Claim:
        claim["disks"][index] |= changes
        return claim

    return change


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_changed(0, nonzero_samples=1), "1 of 64 samples of disk vda are not empty"),
        (_changed(1, samples=3), "read in 3 places only"),
        (_changed(1, serial="another"), "disk vdb is another one"),
        (_changed(1, size_bytes=GIB), "disk vdb is another one"),
        (lambda claim: {**claim, "disks": claim["disks"][:1]}, "disk vdb is missing"),
        (lambda claim: {**claim, "disks": []}, "disk vda is missing"),
        (lambda claim: {**claim, "disks": [claim["disks"][0]] * 2}, "twice"),
        (lambda claim: {**claim, "serial": "SN-OTHER"}, "machine 'SN-OTHER'"),
        (_changed(0, method="hope"), "cannot be read"),
        (_changed(0, samples=-1), "cannot be read"),
        (lambda _: {}, "cannot be read"),
        (lambda _: [], "cannot be read"),
    ],
)
def test_a_wipe_that_is_not_proven_puts_the_machine_into_quarantine(
    boot_service: BootService, spoil: Callable[[Claim], Any], why: str
) -> None:
    """There is no second chance for a report that does not prove what it has to."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    booted = boot_service.booted(machine, DeploymentKind.WIPE)

    answer = booted.report(encoded(spoil(wipe_claim(facts_of(machine)))))

    assert answer.status_code == 422
    assert answer.text.startswith("wipe_unproven: ")
    assert why in answer.text
    deployment = boot_service.deployment(booted.deployment_id)
    assert (deployment.status, deployment.error_code) == (DeploymentStatus.FAILED, "wipe_unproven")
    found = boot_service.machine(machine)
    assert (found.state, found.wiped_at) == (MachineState.QUARANTINE, None)
    assert boot_service.wipe_reports(machine) == []
    assert boot_service.alerts(AlertKind.MACHINE_QUARANTINED) == [(str(machine.id), 1)]


@pytest.mark.parametrize("signature", ["", "0" * 64, "nonsense", "x" * 150])
def test_a_wipe_report_that_is_not_signed_proves_nothing(boot_service: BootService, signature: str) -> None:
    """However good it reads."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    booted = boot_service.booted(machine, DeploymentKind.WIPE)

    answer = booted.report(encoded(wipe_claim(facts_of(machine))), signature=signature)

    assert answer.status_code == 422
    assert boot_service.machine(machine).state is MachineState.QUARANTINE
    assert boot_service.wipe_reports(machine) == []


def test_a_report_under_no_session_is_nobodys_and_changes_nothing(boot_service: BootService) -> None:
    """Else anybody could put a machine into quarantine."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    booted = boot_service.booted(machine, DeploymentKind.WIPE)
    booted.plan["session"] = "made up"

    assert booted.report(encoded(wipe_claim(facts_of(machine)))).status_code == 401
    assert boot_service.deployment(booted.deployment_id).status is DeploymentStatus.OPEN


def test_a_disk_that_has_dropped_off_since_the_inspection_still_holds_data(boot_service: BootService) -> None:
    """A controller that hides a disk, or a disk that has died, must not make a machine clean."""
    machine = boot_service.add_machine(MachineState.CLEAN)
    boot_service.change(lambda session: setattr(lock_machine(session, machine.id), "facts", facts_of(machine)))
    boot_service.open(machine, DeploymentKind.WIPE)
    booted = boot_service.boot(machine)
    one_disk = facts_of(machine, disks=facts_of(machine)["disks"][:1])
    booted.check_in(one_disk).raise_for_status()

    answer = booted.report(encoded(wipe_claim(one_disk)))

    assert answer.status_code == 422
    assert "is gone" in answer.text
    assert boot_service.machine(machine).state is MachineState.QUARANTINE


def test_a_wipe_of_a_machine_that_is_used_again_before_it_is_offered_opens_no_gate(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """The proof is of a moment; what is written after it counts."""
    rented.become(MachineState.CLEANING)
    booted = boot_service.booted(rented.machine, DeploymentKind.WIPE)
    booted.report(encoded(wipe_claim(facts_of(rented.machine)))).raise_for_status()
    rented.become(MachineState.QUARANTINE)
    rented.become(MachineState.INSPECT)

    found = boot_service.machine(rented.machine)
    assert found.written_at is not None
    assert found.wiped_at is not None
    assert found.written_at > found.wiped_at


def test_an_inspection_is_kept_for_the_worker_to_judge(boot_service: BootService) -> None:
    """The machine stays where it is until it has been switched off and held against what is recorded."""
    machine = boot_service.add_machine()
    facts = facts_of(machine, cores=1)
    boot_service.open(machine, DeploymentKind.INSPECT)
    booted = boot_service.boot(machine)
    booted.check_in(facts).raise_for_status()

    assert booted.report(encoded(facts)).status_code == 204

    deployment = boot_service.deployment(booted.deployment_id)
    assert ((deployment.report or {})["inspection"])["cores"] == 1
    assert deployment.status is DeploymentStatus.OPEN
    assert boot_service.machine(machine).state is MachineState.INSPECT


def test_an_unsigned_inspection_is_refused(boot_service: BootService) -> None:
    """And the machine is looked at by a person."""
    machine = boot_service.add_machine()
    booted = boot_service.booted(machine, DeploymentKind.INSPECT)

    assert booted.report(encoded(facts_of(machine)), signature="0" * 64).status_code == 422
    assert boot_service.machine(machine).state is MachineState.QUARANTINE


def test_an_installation_ends_without_a_report(boot_service: BootService, rented: RentedMachine) -> None:
    """Whether it succeeded is verified by the control plane."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())

    assert booted.report(b"{}").status_code == 422
    assert boot_service.deployment(booted.deployment_id).status is DeploymentStatus.OPEN
