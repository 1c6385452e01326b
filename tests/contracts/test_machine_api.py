"""What the engine may rely on, whoever serves the machine API (``docs/bare-metal.md``)."""

from collections.abc import Callable, Iterator

import pytest

from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from pxe.errors import ApiRefused, GrantVoid, MetalError, NotWiped
from pxe.views import DeploymentStatus, DeploymentView
from tests.fixtures.metal_rigs import RIGS, MetalRig

INSTALL, WIPE, RESCUE = DeploymentKind.INSTALL, DeploymentKind.WIPE, DeploymentKind.RESCUE
OPEN, SUCCEEDED, FAILED = DeploymentStatus.OPEN, DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED
DONE = DeploymentPhase.DONE


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.servers)])
def rig(request: pytest.FixtureRequest) -> Iterator[MetalRig]:
    """One machine API after the other."""
    with RIGS[request.param](request) as made:
        yield made


def hold(rig: MetalRig) -> None:
    """Claim the machine and tell its profile."""
    rig.api.claim(rig.machine_id, rig.serial)
    rig.api.put_profile(rig.profile)


def install(rig: MetalRig, key: str = "install-1") -> DeploymentView:
    """Install the machine to the end."""
    deployment = rig.api.open(INSTALL, key)
    rig.machine_goes_to(deployment.id, DeploymentPhase.FIRST_BOOT)
    rig.api.tell(deployment.id, DONE, "verified")
    return rig.api.deployment(deployment.id)


def wipe(rig: MetalRig) -> DeploymentView:
    """Wipe the machine to the end."""
    deployment = rig.api.open(WIPE, "wipe-1")
    rig.machine_goes_to(deployment.id, DeploymentPhase.REBOOT)
    rig.api.tell(deployment.id, DONE, "wiped")
    return rig.api.deployment(deployment.id)


def state(rig: MetalRig) -> MachineState:
    """The machine's."""
    machine = rig.api.machine()
    assert machine is not None
    return machine.state


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """Return by which status and code a call is refused."""
    with pytest.raises(ApiRefused) as caught:
        call()
    return caught.value.status, caught.value.reason


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
    assert after is not None
    assert (after.workload_id, after.state, after.wiped_since_use) == (None, MachineState.AVAILABLE, True)


def test_what_was_given_back_is_not_ours_any_more(rig: MetalRig) -> None:
    """The next order may have it: only an order holds a machine."""
    hold(rig)
    rig.api.release()
    for call in (
        lambda: rig.api.claim(rig.machine_id, rig.serial),
        lambda: rig.api.put_profile(rig.profile),
        lambda: rig.api.open(WIPE, "wipe-1"),
        rig.api.leave_rescue,
    ):
        assert refusal(call) == (409, "conflict")
    rig.api.delete_profile()


def test_a_claim_of_another_serial_is_refused(rig: MetalRig) -> None:
    """The spec and the pool have to mean the same hardware."""
    assert refusal(lambda: rig.api.claim(rig.machine_id, "another")) == (409, "wrong_machine")
    assert refusal(lambda: rig.api.claim(rig.workload_id, rig.serial)) == (409, "wrong_machine")


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


def test_a_key_is_one_deployment(rig: MetalRig) -> None:
    """Open, or failed for good; giving up what is over is harmless."""
    hold(rig)
    first = rig.api.open(INSTALL, "install-1")
    assert (first.status, first.phase, first.boots, first.is_cancel_requested) == (OPEN, None, 0, False)
    assert rig.api.open(INSTALL, "install-1").id == first.id
    machine = rig.api.machine()
    assert machine is not None
    assert machine.deployment is not None
    assert machine.deployment.id == first.id
    assert refusal(lambda: rig.api.open(WIPE, "install-1")) == (409, "conflict")
    for _ in range(2):
        rig.api.fail(first.id, "deadline", "it did not ask for its script")
    failed = rig.api.open(INSTALL, "install-1")
    assert (failed.id, failed.status) == (first.id, FAILED)
    assert (failed.error_code, failed.error_detail) == ("deadline", "it did not ask for its script")
    assert state(rig) is MachineState.DEPLOYING


def test_another_key_aborts_what_is_still_open(rig: MetalRig) -> None:
    """An engine that was killed does not close its own; the next one is the only one who has business there."""
    hold(rig)
    first = rig.api.open(INSTALL, "install-1")
    second = rig.api.open(INSTALL, "install-1-2")
    first = rig.api.deployment(first.id)
    assert (first.status, first.error_code) == (DeploymentStatus.ABORTED, "aborted")
    machine = rig.api.machine()
    assert machine is not None
    assert machine.deployment is not None
    assert machine.deployment.id == second.id
    assert refusal(lambda: rig.api.tell(first.id, DeploymentPhase.POWER, "")) == (410, "deployment_over")
    assert refusal(lambda: rig.api.tell(first.id, DONE, "")) == (410, "deployment_over")
    wiping = rig.api.open(WIPE, "wipe-1")
    assert rig.api.deployment(second.id).status is DeploymentStatus.ABORTED
    assert refusal(rig.api.release) == (409, "conflict")
    assert rig.api.deployment(wiping.id).status is OPEN


def test_nothing_is_installed_without_a_profile_or_out_of_order(rig: MetalRig) -> None:
    """Nor is a machine inspected by an operation, or rescued that has nothing on it."""
    rig.api.claim(rig.machine_id, rig.serial)
    assert refusal(lambda: rig.api.open(INSTALL, "install-1")) == (409, "conflict")
    assert refusal(lambda: rig.api.open(RESCUE, "rescue-1")) == (409, "illegal_transition")
    assert refusal(lambda: rig.api.open(DeploymentKind.INSPECT, "inspect-1"))[0] == 422
    assert refusal(rig.api.leave_rescue) == (409, "conflict")
    machine = rig.api.machine()
    assert machine is not None
    assert (machine.state, machine.deployment, machine.wiped_since_use) == (MachineState.RESERVED, None, True)


def test_done_is_believed_of_a_machine_that_has_shown_itself(rig: MetalRig) -> None:
    """And of a wipe only with its proof; the machine's own phases are not the engine's to tell."""
    hold(rig)
    deployment = rig.api.open(INSTALL, "install-1")
    rig.api.tell(deployment.id, DeploymentPhase.POWER, "switched on")
    assert refusal(lambda: rig.api.tell(deployment.id, DONE, "")) == (409, "conflict")
    assert refusal(lambda: rig.api.tell(deployment.id, DeploymentPhase.WRITE, ""))[0] == 422
    wiping = rig.api.open(WIPE, "wipe-1")
    rig.machine_goes_to(wiping.id, DeploymentPhase.WRITE)
    with pytest.raises(NotWiped):
        rig.api.tell(wiping.id, DONE, "")


def test_what_is_installed_is_what_the_profile_was_when_it_began(rig: MetalRig) -> None:
    """One that is told meanwhile is the next installation's."""
    hold(rig)
    deployment = rig.api.open(INSTALL, "install-1")
    other = rig.profile.model_copy(update={"hostname": "another"})
    rig.api.put_profile(other)
    rig.machine_goes_to(deployment.id, DeploymentPhase.FIRST_BOOT)
    for _ in range(2):
        rig.api.tell(deployment.id, DONE, "verified")
    machine = rig.api.machine()
    assert machine is not None
    assert machine.installed is not None
    assert (machine.installed.profile_digest, machine.profile_digest) == (rig.profile.digest, other.digest)


def test_what_was_installed_is_told(rig: MetalRig) -> None:
    """And the machine is the customer's, and has to be wiped before it goes back."""
    hold(rig)
    done = install(rig)
    assert (done.status, done.phase) == (SUCCEEDED, DONE)
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
    assert wipe(rig).status is SUCCEEDED
    machine = rig.api.machine()
    assert machine is not None
    assert (machine.state, machine.wiped_since_use) == (MachineState.CLEANING, True)
    assert machine.installed is None
    rig.api.release()


@pytest.mark.parametrize("code", ["deadline", "cancelled"])
def test_a_wipe_that_failed_is_for_a_person_to_look_at(rig: MetalRig, code: str) -> None:
    """Whatever the reason: nobody knows what is on the disks."""
    hold(rig)
    install(rig)
    deployment = rig.api.open(WIPE, "wipe-1")
    rig.api.fail(deployment.id, code, "it said nothing")
    assert state(rig) is MachineState.QUARANTINE
    with pytest.raises(MetalError):
        rig.api.claim(rig.machine_id, rig.serial)
    with pytest.raises(NotWiped):
        rig.api.release()


def test_a_rescue_system_that_does_not_come_up_leaves_the_machine_to_its_customer(rig: MetalRig) -> None:
    """As it was before."""
    hold(rig)
    install(rig)
    deployment = rig.api.open(RESCUE, "rescue-1")
    rig.api.fail(deployment.id, "deadline", "it said nothing")
    assert state(rig) is MachineState.ACTIVE


def test_rescue_is_entered_and_left(rig: MetalRig) -> None:
    """Leaving it twice is harmless, and so is leaving it without having been there."""
    hold(rig)
    install(rig)
    rig.api.leave_rescue()
    deployment = rig.api.open(RESCUE, "rescue-1")
    rig.machine_goes_to(deployment.id, DeploymentPhase.FIRST_BOOT)
    rig.api.tell(deployment.id, DONE, "the rescue system answers")
    assert state(rig) is MachineState.RESCUE
    for _ in range(2):
        rig.api.leave_rescue()
    assert state(rig) is MachineState.ACTIVE


def test_a_machine_can_be_installed_again(rig: MetalRig) -> None:
    """From whatever it runs."""
    hold(rig)
    install(rig)
    assert install(rig, "install-2").status is SUCCEEDED
