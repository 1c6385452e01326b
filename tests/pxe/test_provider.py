"""The engine's view of a dedicated machine: claim, wipe, profile."""

import json
from typing import Any

import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc

from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from pxe.errors import ApiRefused, DeploymentFailed, InQuarantine, NotWiped, WrongMachine
from pxe.power.interfaces import PowerState
from pxe.provider import BootProfileProvider, InstallationProvider, MachineClaimProvider, WipeProvider
from tests.fakes.machine_api import GRANT, FakeDeployment
from tests.fakes.workload_specs import MACHINE_ID, OTHER_SSH_KEY, bare_metal
from tests.fixtures.machine_stack import NEXT_PASSWORD, PASSWORD, USER, Metal, inputs_of

ID = str(MACHINE_ID)
OTHER = "01932c07-0000-7000-8000-00000000000f"
INPUTS = inputs_of(bare_metal())
ALL = (
    (MachineClaimProvider, "claim"),
    (WipeProvider, "wipe"),
    (BootProfileProvider, "profile"),
    (InstallationProvider, "installation"),
)
each = pytest.mark.parametrize(("kind", "name"), ALL, ids=[name for _, name in ALL])


def as_the_engine_sends(props: dict[str, Any]) -> dict[str, Any]:
    """Between engine and provider, numbers become floats."""
    document: dict[str, Any] = json.loads(json.dumps(props), parse_int=float)
    return document


class TestEach:
    @each
    def test_the_state_names_the_class_and_holds_nothing_else(self, kind: type[ResourceProvider], name: str) -> None:
        """Pickled by reference: the code that runs is always the installed one, and no credential goes along."""
        del name
        assert len(serialize_provider(kind())) < 200

    @each
    def test_inputs_keep_their_form_and_are_no_change(self, kind: type[ResourceProvider], name: str) -> None:
        """Whatever the engine's numbers look like."""
        sent = {**as_the_engine_sends(INPUTS[name]), "__provider": "x"}
        checked = kind().check({}, sent)
        assert (checked.inputs, checked.failures) == (INPUTS[name], [])
        diff = kind().diff(ID, as_the_engine_sends(INPUTS[name]), checked.inputs)
        assert (diff.changes, diff.replaces) == (False, [])

    @each
    def test_what_is_wrong_is_told_by_property(self, kind: type[ResourceProvider], name: str) -> None:
        """Before anything exists."""
        checked = kind().check({}, {**INPUTS[name], "machine_id": "x", "name": "no machine"})
        assert {failure.property for failure in checked.failures} == {"machine_id", "name"}

    @each
    def test_a_workload_keeps_its_machine(self, kind: type[ResourceProvider], name: str) -> None:
        """Another machine under the same resource would leave the first one as it is, with its data."""
        checked = kind().check(INPUTS[name], {**INPUTS[name], "machine_id": OTHER})
        assert [failure.property for failure in checked.failures] == ["machine_id"]

    @each
    def test_a_machine_that_is_somebody_elses_by_now_is_gone(self, metal: Metal, kind: type[Any], name: str) -> None:
        """Seen by a refresh; and a removal then touches nothing."""
        inputs = metal.claimed()
        metal.api.workload_id = None
        provider = metal.provider(kind)
        assert provider.read(ID, inputs[name]).id is None
        provider.delete(ID, inputs[name])
        assert (metal.api.deployments, metal.iron.boots) == ([], [])

    @each
    def test_a_grant_for_another_machine_is_refused(self, metal: Metal, kind: type[Any], name: str) -> None:
        """The stack and the operation have to mean the same machine."""
        metal.claimed()
        with pytest.raises(WrongMachine, match="not on"):
            metal.provider(kind).read(OTHER, {**INPUTS[name], "machine_id": OTHER})


class TestClaim:
    def test_it_is_held_and_given_back(self, metal: Metal) -> None:
        """Twice is as good as once."""
        claim, inputs = metal.provider(MachineClaimProvider), INPUTS["claim"]
        for _ in range(2):
            made = claim.create(inputs)
            assert (made.id, made.outs) == (ID, inputs)
        assert metal.api.state.value == "reserved"
        for _ in range(2):
            claim.delete(ID, inputs)
        assert metal.api.state.value == "available"

    def test_a_lost_answer_is_asked_for_again(self, metal: Metal) -> None:
        """Holding what is held is harmless."""
        metal.wire.lose, metal.wire.away = ["PUT /claim"], 2
        metal.provider(MachineClaimProvider).create(INPUTS["claim"])
        assert [line for line in metal.api.asked if line.startswith("PUT")] == ["PUT /claim"] * 2

    @pytest.mark.parametrize("serial", ["SN-2", "sn-1"])
    def test_a_board_that_was_swapped_is_noticed(self, metal: Metal, serial: str) -> None:
        """By the BMC's word: a refresh shows it, and what follows is an error and no installation."""
        claim = metal.provider(MachineClaimProvider)
        claim.create(INPUTS["claim"])
        metal.iron.serial = serial
        seen = claim.read(ID, INPUTS["claim"]).outs
        assert seen is not None
        diff = claim.diff(ID, seen, INPUTS["claim"])
        assert (diff.changes, diff.replaces) == (True, [])
        with pytest.raises(WrongMachine, match=rf"serial {serial}, and SN-1 is written down.*\(metal/wrong_machine\)"):
            claim.update(ID, seen, INPUTS["claim"])

    def test_a_card_that_was_swapped_is_noticed(self, metal: Metal) -> None:
        """By what the pool knows of the machine."""
        metal.api.boot_mac = "52:54:00:00:00:99"
        with pytest.raises(WrongMachine, match="boot_mac 52:54:00:00:00:99"):
            metal.provider(MachineClaimProvider).create(INPUTS["claim"])

    def test_somebody_elses_machine_is_refused(self, metal: Metal) -> None:
        """With what the API says."""
        metal.api.workload_id = MACHINE_ID
        with pytest.raises(ApiRefused, match="not held for this workload"):
            metal.provider(MachineClaimProvider).create(INPUTS["claim"])

    def test_a_machine_that_is_not_wiped_does_not_go_back(self, metal: Metal) -> None:
        """The gate is the API's; the error says what to do."""
        metal.installed()
        with pytest.raises(NotWiped, match="Wipe it first"):
            metal.provider(MachineClaimProvider).delete(ID, INPUTS["claim"])
        assert metal.api.state is MachineState.ACTIVE


class TestProfile:
    def test_it_is_told_changed_and_taken_back(self, metal: Metal) -> None:
        """By its digest."""
        inputs, provider = metal.claimed()["profile"], metal.provider(BootProfileProvider)
        changed = inputs_of(bare_metal(ssh_keys=(OTHER_SSH_KEY,)))["profile"]
        assert provider.diff(ID, inputs, changed).changes is True
        assert provider.update(ID, inputs, changed).outs == changed
        assert provider.read(ID, inputs).outs == {**inputs, "digest": changed["digest"]}
        provider.delete(ID, changed)
        assert provider.read(ID, inputs).id is None

    def test_a_digest_of_something_else_is_refused(self) -> None:
        """The preview and the installation go by it."""
        checked = BootProfileProvider().check({}, {**INPUTS["profile"], "digest": "0" * 64})
        assert [failure.property for failure in checked.failures] == ["digest"]

    def test_what_is_not_known_yet_is_no_failure(self) -> None:
        """And is a change."""
        news = {**INPUTS["profile"], "digest": rpc.UNKNOWN}
        assert BootProfileProvider().check({}, news).failures == []
        assert BootProfileProvider().diff(ID, INPUTS["profile"], news).changes is True


class TestWipe:
    def test_making_it_does_nothing(self, metal: Metal) -> None:
        """All of it is in the deletion."""
        assert metal.provider(WipeProvider).create(INPUTS["wipe"]).outs == INPUTS["wipe"]
        assert (metal.api.asked, metal.iron.calls) == ([], {})

    def test_disks_and_bmc_are_clean_afterwards(self, metal: Metal) -> None:
        """And the machine is off, and may go back."""
        metal.installed()
        metal.iron.users["intruder"] = "secret"
        metal.provider(WipeProvider).delete(ID, INPUTS["wipe"])
        assert (metal.api.is_written, metal.iron.power) == (False, PowerState.OFF)
        assert metal.iron.users == {USER: NEXT_PASSWORD}
        metal.provider(MachineClaimProvider).delete(ID, INPUTS["claim"])
        assert metal.api.state.value == "available"

    def test_it_may_be_repeated(self, metal: Metal) -> None:
        """Wiped disks are not wiped again; the BMC is cleaned again."""
        metal.installed()
        for _ in range(2):
            metal.provider(WipeProvider).delete(ID, INPUTS["wipe"])
        assert [one.key for one in metal.api.deployments if one.kind == "wipe"] == [
            f"wipe-{INPUTS['wipe']['workload_id']}"
        ]

    def test_a_machine_that_was_installed_again_is_wiped_again(self, metal: Metal) -> None:
        """A wipe that succeeded before proves nothing any more."""
        inputs = metal.claimed()
        installation, wipe = metal.provider(InstallationProvider), metal.provider(WipeProvider)
        for _ in range(2):
            installation.create(inputs["installation"])
            wipe.delete(ID, inputs["wipe"])
            metal.api.installed = None
            metal.api.state = MachineState.RESERVED
        assert [one.status for one in metal.api.deployments if one.kind == "wipe"] == ["succeeded"] * 2
        assert metal.api.is_written is False

    def test_nothing_written_is_nothing_to_wipe(self, metal: Metal) -> None:
        """An order that was not paid: the machine is not even switched on."""
        metal.claimed()
        metal.provider(WipeProvider).delete(ID, INPUTS["wipe"])
        assert (metal.iron.boots, metal.api.deployments, metal.iron.users) == ([], [], {USER: PASSWORD})

    def test_an_installation_that_was_cut_off_is_ended_first(self, metal: Metal) -> None:
        """Its resource may not be in the state at all."""
        metal.claimed()
        metal.api.state, metal.api.is_written = MachineState.DEPLOYING, True
        metal.api.deployments.append(FakeDeployment(DeploymentKind.INSTALL, "install-1-x"))
        metal.provider(WipeProvider).delete(ID, INPUTS["wipe"])
        first, second = metal.api.deployments
        assert (first.status, first.error[0], second.status) == ("aborted", "aborted", "succeeded")

    def test_a_wipe_that_fails_leaves_the_machine_off_and_in_quarantine(self, metal: Metal) -> None:
        """The next try says that a person has to look at it."""
        metal.installed()
        metal.api.at[DeploymentPhase.VERIFY] = lambda one: metal.api.end(one, "failed", "not_empty", "sda: 3 samples")
        wipe = metal.provider(WipeProvider)
        with pytest.raises(DeploymentFailed, match=r"not_empty: sda: 3 samples.*\(metal/deployment_failed\)"):
            wipe.delete(ID, INPUTS["wipe"])
        assert (metal.iron.power, metal.api.state) == (PowerState.OFF, MachineState.QUARANTINE)
        with pytest.raises(InQuarantine, match="a person has to look"):
            wipe.delete(ID, INPUTS["wipe"])


def test_nothing_that_a_state_would_hold_is_secret(metal: Metal) -> None:
    """Neither grant nor BMC login, in inputs or outputs."""
    text = json.dumps([metal.installed(), INPUTS])
    assert not any(secret in text for secret in (GRANT, PASSWORD, NEXT_PASSWORD))
