"""The engine's view of what runs on a machine."""

from typing import Any

import pytest
from pulumi.dynamic import DiffResult

from automation.engine.wire import Limits
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from pxe.errors import ApiRefused, BmcFailed, Cancelled, DeploymentFailed, MetalError, PhaseOverdue
from pxe.power.fake import Fault, FaultKind
from pxe.power.interfaces import BootSource, PowerState
from pxe.provider import BootProfileProvider, InstallationProvider
from tests.fakes.machine_api import WAYS, FakeDeployment
from tests.fakes.workload_specs import MACHINE_ID, bare_metal, machine_image
from tests.fixtures.machine_stack import Metal, inputs_of

ID = str(MACHINE_ID)
INPUTS = inputs_of(bare_metal())["installation"]
OTHER_IMAGE = bare_metal(image=machine_image("ubuntu-24.04", "b"))
_P = DeploymentPhase


def cancel(deployment: FakeDeployment) -> None:
    """Somebody cancels the operation."""
    deployment.is_cancel_requested = True


def diff(olds: dict[str, Any], **changes: Any) -> DiffResult:
    """What a provider thinks of a change."""
    return InstallationProvider().diff(ID, olds, {**INPUTS, **changes})


def seen(metal: Metal) -> dict[str, Any]:
    """What a refresh finds."""
    outputs = metal.provider(InstallationProvider).read(ID, INPUTS).outs
    assert outputs is not None
    return outputs


class TestInstall:
    def test_a_machine_is_installed_on_and_boots_its_disk(self, metal: Metal) -> None:
        """One network boot, then its own; each phase is told; what comes out is what went in, so nothing is pending."""
        outputs = metal.installed()
        assert metal.iron.boots == [BootSource.NETWORK, BootSource.DISK]
        (deployment,) = metal.api.deployments
        assert deployment.told == [_P.POWER, *WAYS[deployment.kind], _P.FIRST_BOOT, _P.DONE]
        assert deployment.key == f"install-1-{INPUTS['profile_digest'][:12]}"
        assert diff(outputs).changes is False
        assert seen(metal) | {"phase_seconds": outputs["phase_seconds"]} == outputs
        assert set(outputs["phase_seconds"]) == {phase.value for phase in deployment.told}
        assert "install: write" in metal.sentences

    def test_a_machine_ordered_off_is_off_afterwards(self, metal: Metal) -> None:
        """Installed all the same."""
        outputs = metal.installed(bare_metal(started=False))
        assert (metal.iron.power, outputs["started"]) == (PowerState.OFF, False)

    def test_a_profile_of_somebody_else_is_not_installed(self, metal: Metal) -> None:
        """It was changed between the resource that told it and this one."""
        metal.claimed(OTHER_IMAGE)
        with pytest.raises(ApiRefused, match="by another profile"):
            metal.provider(InstallationProvider).create(INPUTS)
        assert metal.iron.boots == []

    @pytest.mark.parametrize("path", ["/machine", "/deployments"])
    def test_lost_answers_start_nothing_twice(self, metal: Metal, path: str) -> None:
        """A key is a deployment, however often it is asked for."""
        metal.wire.lose = [f"GET {path}", f"POST {path}"]
        metal.installed()
        assert (len(metal.api.deployments), metal.iron.boots[0]) == (1, BootSource.NETWORK)

    @pytest.mark.parametrize("phase", [_P.SCRIPT, _P.WRITE, _P.REBOOT, _P.FIRST_BOOT])
    def test_what_an_interrupted_run_began_is_gone_on_with(self, metal: Metal, phase: DeploymentPhase) -> None:
        """The engine was killed: the machine went on by itself, and is not started again."""
        inputs, provider = metal.claimed()["installation"], metal.provider(InstallationProvider)
        metal.api.at[phase] = lambda _: setattr(metal.wire, "is_killing", True)
        with pytest.raises(KeyboardInterrupt):
            provider.create(inputs)
        assert diff(provider.create(inputs).outs or {}).changes is False
        assert metal.iron.boots == [BootSource.NETWORK, BootSource.DISK]
        assert [one.status for one in metal.api.deployments] == ["succeeded"]

    def test_what_an_interrupted_run_finished_is_taken_over(self, metal: Metal) -> None:
        """The state lost the installation; the machine is left alone."""
        first = metal.installed()
        second = metal.provider(InstallationProvider).create(INPUTS).outs
        assert (second, len(metal.iron.boots)) == (first, 2)
        assert "an earlier run has installed it" in metal.sentences

    def test_a_failed_try_is_followed_by_another(self, metal: Metal) -> None:
        """Under the next name: what failed stays failed."""
        inputs, provider = metal.claimed()["installation"], metal.provider(InstallationProvider)
        metal.api.at[_P.WRITE] = lambda one: metal.api.end(one, "failed", "wrong_checksum", "sda is not the image")
        with pytest.raises(
            DeploymentFailed, match=r"phase 'write' \(wrong_checksum: .*\(metal/deployment_failed, again"
        ):
            provider.create(inputs)
        assert metal.iron.power is PowerState.OFF
        provider.create(inputs)
        first, second = metal.api.deployments
        assert (first.status, second.status, second.key) == ("failed", "succeeded", f"{first.key}-2")

    def test_ssh_is_waited_for_where_it_can_be_reached(self, metal: Metal) -> None:
        """Besides the installed system's own word."""
        tries = iter([False, False, True])
        metal.answers = lambda address: address == INPUTS["address"] and next(tries)
        metal.installed()
        assert next(tries, None) is None

    def test_ssh_that_stays_silent_ends_in_a_sentence(self, metal: Metal) -> None:
        """And the machine is off."""
        metal.answers = lambda _address: False
        inputs = metal.claimed()["installation"]
        with pytest.raises(PhaseOverdue, match=r"SSH did not answer at 203.0.113.25 for 180 s"):
            metal.provider(InstallationProvider).create(inputs)
        assert (metal.iron.power, metal.api.deployments[0].error[0]) == (PowerState.OFF, "ssh_silent")


class TestFaults:
    @pytest.mark.parametrize("phase", [_P.INSPECT, _P.WRITE, _P.VERIFY, _P.CONFIGURE])
    def test_a_power_cut_while_it_is_installed_is_made_good(self, metal: Metal, phase: DeploymentPhase) -> None:
        """It is switched on again, from the network, and begins anew."""
        metal.api.at[phase] = lambda _: metal.iron.cut_power()
        metal.installed()
        assert metal.iron.boots == [BootSource.NETWORK, BootSource.NETWORK, BootSource.DISK]

    def test_a_power_cut_after_it_is_installed_is_made_good(self, metal: Metal) -> None:
        """It is switched on; what is on its disks is not written again."""
        metal.api.at[_P.REBOOT] = lambda _: metal.iron.cut_power()
        metal.iron.reboot_itself = metal.iron.cut_power  # type: ignore[method-assign]  # the cut comes while it restarts
        metal.installed()
        assert metal.iron.boots == [BootSource.NETWORK, BootSource.DISK]

    def test_a_power_cut_that_nobody_saw_is_made_good(self, metal: Metal) -> None:
        """Power was back at once, and the machine booted its half-written disk: it is on, and says nothing."""

        def restart(deployment: FakeDeployment) -> None:
            metal.iron.reboot_itself()
            deployment.silent_seconds = metal.deadlines.silence + 1

        metal.api.at[_P.WRITE] = restart
        metal.installed()
        assert metal.iron.boots == [BootSource.NETWORK, BootSource.DISK, BootSource.NETWORK, BootSource.DISK]

    def test_a_machine_that_falls_silent_again_and_again_ends_in_a_sentence(self, metal: Metal) -> None:
        """After two tries."""
        inputs = metal.claimed()["installation"]

        def silence(deployment: FakeDeployment) -> None:
            deployment.silent_seconds = metal.deadlines.silence + 1
            metal.api.at[_P.WRITE] = silence

        metal.api.at[_P.WRITE] = silence
        with pytest.raises(PhaseOverdue, match=r"it said nothing in phase 'write' for 900 s, again"):
            metal.provider(InstallationProvider).create(inputs)
        assert (len(metal.iron.boots), metal.api.deployments[0].error[0]) == (3, "deadline")
        assert metal.iron.power is PowerState.OFF

    def test_power_that_never_comes_back_ends_in_a_sentence(self, metal: Metal) -> None:
        """After two tries."""
        inputs = metal.claimed()["installation"]

        def cut(_deployment: FakeDeployment) -> None:
            metal.iron.cut_power()
            metal.api.at[_P.INSPECT] = cut

        metal.api.at[_P.INSPECT] = cut
        with pytest.raises(PhaseOverdue, match=r"its power went off in phase 'inspect'"):
            metal.provider(InstallationProvider).create(inputs)
        assert (len(metal.iron.boots), metal.api.deployments[0].error[0]) == (3, "deadline")

    def test_a_boot_order_that_was_forgotten_once_is_given_again(self, metal: Metal) -> None:
        """The machine booted its old disk; after the deadline for its script it gets one more chance."""
        metal.iron.faults.append(Fault(FaultKind.DROP_BOOT_ONCE, times=1))
        metal.installed()
        assert metal.iron.boots == [BootSource.DISK, BootSource.NETWORK, BootSource.DISK]

    def test_a_bmc_that_always_forgets_the_boot_order_ends_in_a_sentence(self, metal: Metal) -> None:
        """And the machine is off."""
        metal.iron.faults.append(Fault(FaultKind.DROP_BOOT_ONCE, times=None))
        inputs = metal.claimed()["installation"]
        with pytest.raises(
            PhaseOverdue, match=r"did not ask for its boot script for 600 s: .*DHCP.*\(metal/phase_overdue, again"
        ):
            metal.provider(InstallationProvider).create(inputs)
        assert metal.iron.boots == [BootSource.DISK, BootSource.DISK]
        assert (metal.iron.power, metal.api.deployments[0].error[0]) == (PowerState.OFF, "deadline")

    def test_a_machine_that_boots_the_network_for_ever_is_told_otherwise(self, metal: Metal) -> None:
        """The boot service sends it to its disk; at the end the BMC's order is taken back."""
        metal.iron.faults.append(Fault(FaultKind.KEEP_BOOT_ONCE, times=None))
        outputs = metal.installed()
        assert metal.iron.boots == [BootSource.NETWORK, BootSource.NETWORK]
        assert (metal.iron.override, outputs["boots_from"]) == (None, "disk")

    @pytest.mark.parametrize("phase", [_P.SCRIPT, _P.WRITE, _P.REBOOT])
    def test_a_machine_that_hangs_is_given_up(self, metal: Metal, phase: DeploymentPhase) -> None:
        """After the time for that phase, once: the sentence names what it was at."""
        metal.api.stuck_at = phase
        inputs = metal.claimed()["installation"]
        before = metal.clock()
        with pytest.raises(PhaseOverdue, match=f"for {metal.deadlines.phases[phase]:.0f} s"):
            metal.provider(InstallationProvider).create(inputs)
        assert metal.clock() - before < metal.deadlines.phases[phase] + 60
        assert metal.iron.power is PowerState.OFF

    @pytest.mark.parametrize("kind", [FaultKind.BUSY, FaultKind.HANG])
    def test_a_bmc_that_has_no_time_for_a_while_is_waited_for(self, metal: Metal, kind: FaultKind) -> None:
        """503, or no answer at all."""
        metal.iron.faults.append(Fault(kind, times=2))
        metal.installed()

    @pytest.mark.parametrize("kind", [FaultKind.BUSY, FaultKind.HANG, FaultKind.DISOBEY])
    def test_a_bmc_that_is_of_no_use_leaves_the_deployment_to_the_next_try(self, metal: Metal, kind: FaultKind) -> None:
        """A bounded wait, and a failure that may be retried; then the same deployment goes on."""
        inputs, provider = metal.claimed()["installation"], metal.provider(InstallationProvider)
        metal.iron.faults.append(Fault(kind, times=None))
        with pytest.raises(BmcFailed, match=r"\(metal/bmc, again\)$"):
            provider.create(inputs)
        assert metal.clock() < 900
        metal.iron.faults.clear()
        provider.create(inputs)
        assert [one.status for one in metal.api.deployments] == ["succeeded"]

    def test_a_refused_login_is_not_tried_again(self, metal: Metal) -> None:
        """BMCs lock accounts."""
        inputs = metal.claimed()["installation"]
        metal.iron.faults.append(Fault(FaultKind.REFUSE, times=None))
        with pytest.raises(BmcFailed, match=r"SLIPWAY_BMC_USER.*\(metal/bmc\)$"):
            metal.provider(InstallationProvider).create(inputs)
        assert metal.iron.refused == 1


class TestCancel:
    @pytest.mark.parametrize("phase", [*WAYS[DeploymentKind.INSTALL], _P.FIRST_BOOT])
    def test_it_stops_within_seconds_with_the_machine_off(self, metal: Metal, phase: DeploymentPhase) -> None:
        """In every phase; its deployment is over, so the machine touches nothing more. In the last, it is done."""
        inputs = metal.claimed()["installation"]
        metal.api.at[phase] = cancel
        if phase is _P.FIRST_BOOT:
            metal.provider(InstallationProvider).create(inputs)
            return
        with pytest.raises(Cancelled, match=r"the machine is switched off \(metal/cancelled\)$"):
            metal.provider(InstallationProvider).create(inputs)
        (deployment,) = metal.api.deployments
        assert (deployment.status, deployment.error[0]) == ("failed", "cancelled")
        assert metal.iron.power is PowerState.OFF
        assert metal.clock() < 20

    def test_a_process_that_is_told_to_end_does_the_same(self, metal: Metal) -> None:
        """By whoever stops the engine."""
        inputs = metal.claimed()["installation"]
        metal.api.at[_P.WRITE] = lambda _: setattr(metal, "is_stopping", True)
        with pytest.raises(Cancelled):
            metal.provider(InstallationProvider).create(inputs)
        assert metal.iron.power is PowerState.OFF

    def test_a_bmc_that_fails_at_the_end_does_not_hide_why(self, metal: Metal) -> None:
        """The deployment is over whatever its power does."""
        inputs = metal.claimed()["installation"]

        def cancel_and_hang(deployment: FakeDeployment) -> None:
            cancel(deployment)
            metal.iron.faults.append(Fault(FaultKind.HANG, times=None))

        metal.api.at[_P.WRITE] = cancel_and_hang
        with pytest.raises(Cancelled, match="the machine may stay on, and touches no disk any more"):
            metal.provider(InstallationProvider).create(inputs)
        assert "it could not be switched off" in metal.sentences

    @pytest.mark.parametrize("kind", [FaultKind.BUSY, FaultKind.HANG])
    def test_it_is_noticed_while_the_bmc_is_of_no_use(self, metal: Metal, kind: FaultKind) -> None:
        """After its present try and not after all of them, and so before the engine is ended by force."""
        inputs = metal.claimed()["installation"]
        metal.iron.faults.append(Fault(kind, times=None))
        metal.is_stopping = True
        with pytest.raises(Cancelled):
            metal.provider(InstallationProvider).create(inputs)
        assert metal.api.deployments[0].error[0] == "cancelled"
        assert metal.clock() <= Limits().grace_seconds
        assert metal.iron.boots == []

    def test_a_deployment_that_somebody_aborted_is_over(self, metal: Metal) -> None:
        """A person at the admin's page."""
        inputs = metal.claimed()["installation"]
        metal.api.at[_P.WRITE] = lambda one: metal.api.end(one, "aborted")
        with pytest.raises(DeploymentFailed, match="the install is aborted in phase 'write'"):
            metal.provider(InstallationProvider).create(inputs)


class TestUpdate:
    @pytest.mark.parametrize("spec", [OTHER_IMAGE, bare_metal(installation=2)], ids=["another image", "once more"])
    def test_another_image_or_a_higher_count_installs_again_in_place(self, metal: Metal, spec: Any) -> None:
        """Never a replacement: the machine stays claimed."""
        olds, inputs = metal.installed(), inputs_of(spec)
        metal.provider(BootProfileProvider).update(ID, {}, inputs["profile"])
        provider = metal.provider(InstallationProvider)
        answer = provider.diff(ID, olds, inputs["installation"])
        assert (answer.changes, answer.replaces) == (True, [])
        outputs = provider.update(ID, olds, inputs["installation"]).outs
        assert outputs is not None
        assert metal.iron.boots == [BootSource.NETWORK, BootSource.DISK] * 2
        assert {**outputs, **inputs["installation"]} == outputs

    def test_a_count_does_not_go_back(self) -> None:
        """It would install nothing, and look as if it did."""
        checked = InstallationProvider().check({**INPUTS, "installation": 3.0}, {**INPUTS, "installation": 2.0})
        assert [failure.property for failure in checked.failures] == ["installation"]

    def test_power_is_an_update_of_its_own(self, metal: Metal) -> None:
        """Off by the operating system's doing; nothing is installed."""
        olds, provider = metal.installed(), metal.provider(InstallationProvider)
        off = provider.update(ID, olds, {**INPUTS, "started": False}).outs
        assert (metal.iron.power, metal.iron.calls["set_power"]) == (PowerState.OFF, 2)
        on = provider.update(ID, off or {}, INPUTS).outs
        assert (metal.iron.power, on) == (PowerState.ON, olds)
        assert len(metal.api.deployments) == 1

    def test_a_system_that_does_not_shut_down_is_switched_off(self, metal: Metal) -> None:
        """Asked once, then forced."""
        olds = metal.installed()
        metal.iron.faults.append(Fault(FaultKind.DISOBEY))
        metal.provider(InstallationProvider).update(ID, olds, {**INPUTS, "started": False})
        assert metal.iron.power is PowerState.OFF

    def test_rescue_and_back(self, metal: Metal) -> None:
        """By the network once, without a look at the disks; back from the disk. Any number of times."""
        outputs, provider = metal.installed(), metal.provider(InstallationProvider)
        for _ in range(3):
            rescued = provider.update(ID, outputs, {**INPUTS, "rescue": True}).outs or {}
            assert (metal.api.state, metal.iron.boots[-1]) == (MachineState.RESCUE, BootSource.NETWORK)
            assert diff(rescued, rescue=True).changes is False
            assert diff(rescued, rescue=True, started=False).changes is False
            assert diff(rescued).changes is True
            outputs = provider.update(ID, rescued, INPUTS).outs or {}
            assert (metal.api.state, metal.iron.boots[-1]) == (MachineState.ACTIVE, BootSource.DISK)
            assert diff(outputs).changes is False

    def test_a_machine_in_rescue_can_be_installed_again(self, metal: Metal) -> None:
        """And runs its disk afterwards."""
        provider = metal.provider(InstallationProvider)
        rescued = provider.update(ID, metal.installed(), {**INPUTS, "rescue": True}).outs or {}
        outputs = provider.update(ID, rescued, {**INPUTS, "installation": 2}).outs
        assert outputs is not None
        assert (outputs["rescue"], metal.api.state) == (False, MachineState.ACTIVE)

    def test_another_installation_replaces_one_that_was_cut_off(self, metal: Metal) -> None:
        """The customer chose another image meanwhile: the first deployment is ended, not finished."""
        metal.api.stuck_at = _P.WRITE
        inputs = metal.claimed()["installation"]
        metal.api.at[_P.WRITE] = lambda _: setattr(metal.wire, "away", 100)
        with pytest.raises(MetalError, match=r"\(metal/api_unreachable, again\)$"):
            metal.provider(InstallationProvider).create(inputs)
        metal.api.stuck_at, metal.wire.away = None, 0
        metal.installed(OTHER_IMAGE)
        first, second = metal.api.deployments
        assert (first.status, second.status) == ("aborted", "succeeded")


class TestDrift:
    def test_power_off_boot_order_and_image_are_seen_and_put_right(self, metal: Metal) -> None:
        """Each under the name of the input that it contradicts."""
        outputs = metal.installed()
        metal.iron.cut_power()
        metal.iron.override = BootSource.NETWORK
        drifted = seen(metal)
        assert {key for key in INPUTS if drifted[key] != INPUTS[key]} == {"started", "boots_from"}
        assert diff(drifted).changes is True
        fixed = metal.provider(InstallationProvider).update(ID, drifted, INPUTS).outs
        assert (fixed or {}) | {"phase_seconds": {}} == outputs | {"phase_seconds": {}}
        assert len(metal.api.deployments) == 1

    def test_another_image_than_ours_is_drift_that_an_update_installs_over(self, metal: Metal) -> None:
        """In place, and by a deployment of its own: the first one's success proves nothing any more."""
        metal.installed()
        assert metal.api.installed is not None
        metal.api.installed |= {"image": "windows", "profile_digest": "0" * 64}
        drifted = seen(metal)
        assert {key for key in INPUTS if drifted[key] != INPUTS[key]} == {"image", "profile_digest"}
        metal.provider(InstallationProvider).update(ID, drifted, INPUTS)
        assert [one.status for one in metal.api.deployments] == ["succeeded"] * 2
        assert diff(seen(metal)).changes is False

    def test_a_bmc_that_does_not_answer_is_an_error_and_no_drift(self, metal: Metal) -> None:
        """Nobody knows what is there."""
        metal.installed()
        metal.iron.faults.append(Fault(FaultKind.HANG, times=None))
        with pytest.raises(BmcFailed, match="again"):
            seen(metal)

    def test_a_machine_that_was_wiped_and_is_held_has_no_installation(self, metal: Metal) -> None:
        """It is gone, and an update creates it."""
        metal.claimed()
        assert metal.provider(InstallationProvider).read(ID, INPUTS).id is None


class TestDelete:
    def test_the_machine_is_off_and_nothing_is_open(self, metal: Metal) -> None:
        """Twice is as good as once."""
        outputs, provider = metal.installed(), metal.provider(InstallationProvider)
        metal.api.deployments.append(FakeDeployment(DeploymentKind.INSTALL, "of an interrupted run"))
        for _ in range(2):
            provider.delete(ID, outputs)
        assert metal.iron.power is PowerState.OFF
        assert metal.api.deployments[-1].error[0] == "removed"
        assert metal.api.state is MachineState.ACTIVE
