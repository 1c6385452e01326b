"""What a machine has to show before it may touch a disk, and what it is told then."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import select

from api.alerts.models import AlertKind
from api.machines.models import Deployment, DeploymentStatus
from api.machines.netboot.tokens import callback_of
from components.specs.machine import DeploymentKind, DeploymentPhase, DiskLayout, ImageFormat, MachineState
from tests.fixtures.boot_service import (
    GIB,
    IMAGE,
    BootService,
    RentedMachine,
    boot_profile,
    facts_of,
    installer_profile,
)
from tests.races import at_once


def test_the_right_machine_is_told_what_to_install(boot_service: BootService, rented: RentedMachine) -> None:
    """The plan is lines of name and value, and holds nothing that a customer has chosen but their user's name."""
    boot_service.open(rented.machine, DeploymentKind.INSTALL, boot_profile())
    booted = boot_service.boot(rented.machine)

    answer = booted.check_in(facts_of(rented.machine))

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    digest = hashlib.sha256(IMAGE).hexdigest()
    session = booted.plan.pop("session")
    assert booted.plan == {
        "kind": "install",
        "serial": rented.machine.serial,
        "user": "root",
        "layout": "single",
        "disks": "vda",
        "image": f"http://192.0.2.10:8080/images/{digest}",
        "image_sha256": digest,
        "image_content_sha256": digest,
        "image_size": str(len(IMAGE)),
        "image_compression": "none",
        "after": "reboot",
    }
    deployment = boot_service.deployment(booted.deployment_id)
    assert deployment.phase is DeploymentPhase.INSPECT
    assert session not in str(vars(deployment))
    assert boot_service.runtime.vault.open(deployment.session_encrypted or b"") == session


@pytest.mark.parametrize(
    ("kind", "state", "own"),
    [
        (DeploymentKind.INSPECT, MachineState.INSPECT, {"after": "poweroff"}),
        (DeploymentKind.WIPE, MachineState.CLEAN, {"after": "poweroff", "disks": "vda,vdb"}),
    ],
)
def test_other_kinds_are_told_their_own_things_only(
    boot_service: BootService, kind: DeploymentKind, state: MachineState, own: dict[str, str]
) -> None:
    """A wipe names all disks; an inspection none."""
    machine = boot_service.add_machine(state)
    booted = boot_service.booted(machine, kind)

    del booted.plan["session"]
    assert booted.plan == {"kind": kind.value, "serial": machine.serial, **own}


def test_a_machine_in_rescue_is_told_whose_keys_to_take_and_no_disk(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """The rescue system runs in memory."""
    rented.become(MachineState.ACTIVE)
    rented.become(MachineState.RESCUE)
    booted = boot_service.booted(rented.machine, DeploymentKind.RESCUE, boot_profile())

    assert booted.file("authorized_keys").text.startswith("ssh-ed25519 ")
    del booted.plan["session"]
    assert booted.plan == {"kind": "rescue", "serial": rented.machine.serial, "user": "root", "after": "reboot"}


def test_a_token_that_is_shown_again_is_refused_and_told_of(boot_service: BootService) -> None:
    """Whoever repeats what a machine said learns nothing, and the machine's own session goes on."""
    machine = boot_service.add_machine()
    booted = boot_service.booted(machine, DeploymentKind.INSPECT)

    again = booted.http.post(
        f"{booted.base}/checkin", json=facts_of(machine), headers={"Authorization": f"Bearer {booted.token}"}
    )

    assert again.status_code == 403
    assert again.text.startswith("token_misused: ")
    assert boot_service.alerts(AlertKind.TOKEN_MISUSED) == [(str(machine.id), 1)]
    assert booted.phase("write").status_code == 204


def test_a_token_of_another_machine_is_refused_spent_and_told_of(boot_service: BootService) -> None:
    """Neither machine gets anything by it; the other one needs a new boot."""
    one, other = boot_service.add_machine(), boot_service.add_machine()
    for machine in (one, other):
        boot_service.open(machine, DeploymentKind.INSPECT)
    mine, theirs = boot_service.boot(one), boot_service.boot(other)

    assert mine.check_in(facts_of(one), token=theirs.token).status_code == 403
    assert theirs.check_in(facts_of(other)).status_code == 403
    assert mine.check_in(facts_of(one)).status_code == 200
    assert {subject for subject, _ in boot_service.alerts(AlertKind.TOKEN_MISUSED)} == {str(one.id), str(other.id)}


def test_a_token_shown_twice_at_once_is_taken_once(boot_service: BootService) -> None:
    """Of many that show it in the same moment one gets a plan."""
    machine = boot_service.add_machine()
    boot_service.open(machine, DeploymentKind.INSPECT)
    booted = boot_service.boot(machine)
    facts, headers = facts_of(machine), {"Authorization": f"Bearer {booted.token}"}

    answers = at_once([lambda: booted.http.post(f"{booted.base}/checkin", json=facts, headers=headers)] * 6)

    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403, 403]


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"serial": "' + "x" * 10_000 + '"}', "\x00", "{" * 5000])
def test_facts_that_are_none_spend_the_token_all_the_same(boot_service: BootService, body: str) -> None:
    """A token is for one attempt, whatever comes of it."""
    machine = boot_service.add_machine()
    boot_service.open(machine, DeploymentKind.INSPECT)
    booted = boot_service.boot(machine)
    headers = {"Authorization": f"Bearer {booted.token}"}

    assert booted.http.post(f"{booted.base}/checkin", content=body, headers=headers).status_code == 422
    assert booted.check_in(facts_of(machine)).status_code == 403


@pytest.mark.parametrize("kind", [DeploymentKind.INSTALL, DeploymentKind.WIPE])
@pytest.mark.parametrize(
    "changes",
    [
        {"serial": "SN-OF-ANOTHER"},
        {"serial": ""},
        {"serial": "To Be Filled By O.E.M."},
        {"nics": []},
        {"nics": [{"name": "eth0", "mac": "52:54:00:ee:ee:01"}]},
    ],
)
def test_the_wrong_machine_touches_nothing_and_goes_into_quarantine(
    boot_service: BootService, rented: RentedMachine, kind: DeploymentKind, changes: dict[str, Any]
) -> None:
    """Cables swapped, a board replaced: the deployment has failed, and a person has to look."""
    if kind is DeploymentKind.WIPE:
        rented.become(MachineState.CLEANING)
    boot_service.open(rented.machine, kind, boot_profile())
    booted = boot_service.boot(rented.machine)

    answer = booted.check_in(facts_of(rented.machine, **changes))

    assert answer.status_code == 409
    assert answer.text.startswith("wrong_machine: ")
    deployment = boot_service.deployment(booted.deployment_id)
    assert (deployment.status, deployment.error_code) == (DeploymentStatus.FAILED, "wrong_machine")
    assert deployment.session_hash is None
    assert boot_service.machine(rented.machine).state is MachineState.QUARANTINE
    assert boot_service.alerts(AlertKind.MACHINE_QUARANTINED) == [(str(rented.machine.id), 1)]


def test_one_recorded_card_missing_is_the_wrong_machine_and_one_more_is_not(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """BMCs add cards over USB with addresses that they make up; none of ours disappears by itself."""
    nics = facts_of(rented.machine)["nics"]
    boot_service.open(rented.machine, DeploymentKind.INSTALL, boot_profile())
    more = boot_service.boot(rented.machine).check_in(
        facts_of(rented.machine, nics=[*nics, {"name": "usb0", "mac": "0a:94:ef:00:00:01"}])
    )
    fewer = boot_service.boot(rented.machine).check_in(facts_of(rented.machine, nics=nics[:1]))

    assert (more.status_code, fewer.status_code) == (200, 409)


def test_a_card_that_is_recorded_as_another_machines_is_the_wrong_machine(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """Two machines cannot have one card."""
    other = boot_service.add_machine()
    boot_service.open(rented.machine, DeploymentKind.INSTALL, boot_profile())
    nics = [*facts_of(rented.machine)["nics"], {"name": "eth9", "mac": other.macs[1]}]

    answer = boot_service.boot(rented.machine).check_in(facts_of(rented.machine, nics=nics))

    assert answer.status_code == 409
    assert other.name in answer.text


def test_disks_that_are_too_small_are_found_before_anything_is_written(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """The deployment has failed, the machine waits for another try."""
    profile = boot_profile()
    large = profile.model_copy(update={"image": profile.image.model_copy(update={"size_bytes": 11 * GIB})})
    boot_service.open(rented.machine, DeploymentKind.INSTALL, large)
    booted = boot_service.boot(rented.machine)

    answer = booted.check_in(facts_of(rented.machine))

    assert answer.status_code == 422
    assert answer.text.startswith("disk_too_small: ")
    deployment = boot_service.deployment(booted.deployment_id)
    assert (deployment.status, deployment.error_code) == (DeploymentStatus.FAILED, "disk_too_small")
    assert boot_service.machine(rented.machine).state is MachineState.DEPLOYING


def test_a_mirror_takes_two_disks(boot_service: BootService, rented: RentedMachine) -> None:
    """They are named in the plan."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile(layout=DiskLayout.RAID1))

    assert (booted.plan["layout"], booted.plan["disks"]) == ("raid1", "vda,vdb")


def test_what_an_installer_installs_is_not_written_by_the_deployer(
    boot_service: BootService, rented: RentedMachine
) -> None:
    """An installer's token is no ticket for a plan."""
    deployment_id = boot_service.open(
        rented.machine, DeploymentKind.INSTALL, installer_profile(ImageFormat.INSTALLER_DEBIAN)
    )
    script = boot_service.script(rented.machine)
    token = script.split("/seed/")[1].split("/")[0]

    answer = boot_service.http.post(
        f"/deployments/{deployment_id}/checkin",
        json=facts_of(rented.machine),
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code == 422
    assert answer.text.startswith("nothing_to_install: ")


def test_a_deployment_that_is_over_answers_410(boot_service: BootService) -> None:
    """Whatever the machine says."""
    machine = boot_service.add_machine()
    booted = boot_service.booted(machine, DeploymentKind.INSPECT)
    booted.post("failure", data={"phase": "inspect", "code": "no_disk", "detail": "none"}).raise_for_status()

    assert booted.check_in(facts_of(machine)).status_code == 410
    assert booted.phase("write").status_code == 410


def test_an_unknown_deployment_and_a_missing_bearer_are_refused(boot_service: BootService) -> None:
    """Neither is told what there is."""
    machine = boot_service.add_machine()
    deployment_id = boot_service.open(machine, DeploymentKind.INSPECT)
    headers = {"Authorization": "Bearer something"}

    assert boot_service.http.post(f"/deployments/{machine.id}/checkin", headers=headers).status_code == 404
    assert boot_service.http.post("/deployments/1/checkin", headers=headers).status_code in {404, 422}
    assert boot_service.http.post(f"/deployments/{deployment_id}/checkin").status_code == 401
    assert (
        boot_service.http.post(
            f"/deployments/{deployment_id}/checkin", headers={"Authorization": "Bearer " + "x" * 5000}
        ).status_code
        == 401
    )


def test_no_secret_of_a_boot_is_stored_in_clear(boot_service: BootService, rented: RentedMachine) -> None:
    """Hashes and sealed texts only."""
    booted = boot_service.booted(rented.machine, DeploymentKind.INSTALL, boot_profile())
    session = booted.plan["session"]

    row = boot_service.change(lambda s: s.execute(select(*Deployment.__table__.c)).mappings().one())

    stored = " ".join(str(value) for value in row.values())
    assert not any(secret in stored for secret in (booted.token, session, callback_of(session)))
