"""What the engine may rely on, whoever serves the machine API (``docs/bare-metal.md``)."""

from collections.abc import Iterator

import pytest

from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from pxe.errors import ApiRefused, GrantVoid, NotWiped
from pxe.views import DeploymentStatus, DeploymentView
from tests.fixtures.metal_rigs import RIGS, MetalRig

INSTALL, WIPE, RESCUE = DeploymentKind.INSTALL, DeploymentKind.WIPE, DeploymentKind.RESCUE
OPEN, SUCCEEDED, FAILED = DeploymentStatus.OPEN, DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[MetalRig]:
    """One machine API after the other."""
    with RIGS[request.param]() as made:
        yield made


def hold(rig: MetalRig) -> None:
    """Claim the machine and tell its profile."""
    rig.api.claim(rig.machine_id, rig.serial)
    rig.api.put_profile(rig.profile)


def install(rig: MetalRig, key: str = "install-1") -> DeploymentView:
    """Install the machine to the end."""
    deployment = rig.api.open(INSTALL, key)
    rig.machine_goes_to(deployment.id, DeploymentPhase.FIRST_BOOT)
    rig.api.tell(deployment.id, DeploymentPhase.DONE, "verified")
    return rig.api.deployment(deployment.id)


def state(rig: MetalRig) -> MachineState:
    """The machine's."""
    machine = rig.api.machine()
    assert machine is not None
    return machine.state


def test_a_claim_may_be_repeated_and_given_back(rig: MetalRig) -> None:
    """Nothing was written, so nothing has to be wiped; giving it back twice is harmless."""
    for _ in range(2):
        rig.api.claim(rig.machine_id, rig.serial)
    machine = rig.api.machine()
    assert machine is not None
    assert (machine.machine_id, machine.workload_id, machine.serial) == (rig.machine_id, rig.workload_id, rig.serial)
    assert (machine.state, machine.wiped_since_use) == (MachineState.RESERVED, True)
    assert (machine.installed, machine.deployment) == (None, None)
    for _ in range(2):
        rig.api.release()
    after = rig.api.machine()
    assert after is None or after.workload_id is None


def test_a_claim_of_another_serial_is_refused(rig: MetalRig) -> None:
    """The spec and the pool have to mean the same hardware."""
    with pytest.raises(ApiRefused) as caught:
        rig.api.claim(rig.machine_id, "another")
    assert caught.value.status == 409


def test_a_made_up_grant_is_void(rig: MetalRig) -> None:
    """Whatever is asked."""
    with pytest.raises(GrantVoid):
        rig.stranger.machine()


def test_a_profile_has_the_digest_that_the_engine_expects(rig: MetalRig) -> None:
    """Told, told again, taken back, and taken back again."""
    rig.api.claim(rig.machine_id, rig.serial)
    for _ in range(2):
        assert rig.api.put_profile(rig.profile) == rig.profile.digest
    machine = rig.api.machine()
    assert machine is not None
    assert machine.profile_digest == rig.profile.digest
    for _ in range(2):
        rig.api.delete_profile()
    machine = rig.api.machine()
    assert machine is not None
    assert machine.profile_digest is None


def test_a_key_is_one_deployment_and_one_is_open_at_a_time(rig: MetalRig) -> None:
    """Open, or failed for good; another key is another deployment."""
    hold(rig)
    first = rig.api.open(INSTALL, "install-1")
    assert (first.status, first.phase, first.boots, first.is_cancel_requested) == (OPEN, None, 0, False)
    assert rig.api.open(INSTALL, "install-1").id == first.id
    machine = rig.api.machine()
    assert machine is not None
    assert machine.deployment is not None
    assert machine.deployment.id == first.id
    with pytest.raises(ApiRefused) as caught:
        rig.api.open(INSTALL, "install-1-2")
    assert caught.value.status == 409
    for _ in range(2):
        rig.api.fail(first.id, "deadline", "it did not ask for its script")
    failed = rig.api.open(INSTALL, "install-1")
    assert (failed.id, failed.status) == (first.id, FAILED)
    assert (failed.error_code, failed.error_detail) == ("deadline", "it did not ask for its script")


def test_what_was_installed_is_told(rig: MetalRig) -> None:
    """And the machine is the customer's, and has to be wiped before it goes back."""
    hold(rig)
    done = install(rig)
    assert (done.status, done.phase) == (SUCCEEDED, DeploymentPhase.DONE)
    assert {"power", "write", "first_boot"} - set(done.phase_seconds) <= {"power"}
    machine = rig.api.machine()
    assert machine is not None
    assert (machine.state, machine.wiped_since_use, machine.deployment) == (MachineState.ACTIVE, False, None)
    assert machine.installed is not None
    assert machine.installed.image == rig.profile.image.name
    assert machine.installed.profile_digest == rig.profile.digest
    with pytest.raises(NotWiped):
        rig.api.release()


def test_a_wipe_is_proven_by_the_machine_and_opens_the_gate(rig: MetalRig) -> None:
    """By the time that it says it switches off, the proof is in."""
    hold(rig)
    install(rig)
    deployment = rig.api.open(WIPE, "wipe-1")
    assert state(rig) is MachineState.CLEANING
    rig.machine_goes_to(deployment.id, DeploymentPhase.REBOOT)
    if rig.api.deployment(deployment.id).status is OPEN:
        rig.api.tell(deployment.id, DeploymentPhase.DONE, "wiped")
    machine = rig.api.machine()
    assert machine is not None
    assert machine.wiped_since_use
    rig.api.release()


def test_rescue_is_entered_and_left(rig: MetalRig) -> None:
    """Leaving it twice is harmless, and so is leaving it without having been there."""
    hold(rig)
    install(rig)
    rig.api.leave_rescue()
    deployment = rig.api.open(RESCUE, "rescue-1")
    rig.machine_goes_to(deployment.id, DeploymentPhase.FIRST_BOOT)
    rig.api.tell(deployment.id, DeploymentPhase.DONE, "the rescue system answers")
    assert state(rig) is MachineState.RESCUE
    for _ in range(2):
        rig.api.leave_rescue()
    assert state(rig) is MachineState.ACTIVE


def test_a_machine_can_be_installed_again(rig: MetalRig) -> None:
    """From whatever it runs."""
    hold(rig)
    install(rig)
    assert install(rig, "install-2").status is SUCCEEDED
