"""What a machine's row and BMC say, against what was wanted."""

from dataclasses import replace
from typing import Any

import pytest

from api.operations.models import OperationKind
from automation.operations.machine_verification import MachineFacts, find_machine_mismatch
from components.specs.machine import MachineState
from pxe.power.interfaces import PowerState
from tests.fakes.workload_specs import bare_metal

APPLY, DESTROY, REBOOT = OperationKind.APPLY, OperationKind.DESTROY, OperationKind.REBOOT
GOOD = MachineFacts(MachineState.ACTIVE, is_ours=True, installed_digest="wanted", power=PowerState.ON)


def code(kind: OperationKind, facts: MachineFacts, **changes: Any) -> str | None:
    """Return what is wrong."""
    wrong = find_machine_mismatch(kind, bare_metal(**changes), "wanted", facts)
    return None if wrong is None else wrong.code


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (APPLY, {}),
        (REBOOT, {}),
        (APPLY, {"power": PowerState.UNKNOWN}),
        (DESTROY, {"is_ours": False, "state": MachineState.AVAILABLE}),
        (DESTROY, {"is_ours": False, "state": MachineState.RESERVED}),
        (DESTROY, {"is_untouched": True, "state": MachineState.RESERVED}),
    ],
)
def test_what_is_as_it_was_to_be_passes(kind: OperationKind, changes: dict[str, Any]) -> None:
    """A BMC that cannot tell the power proves nothing; a machine that was never begun with need not be wiped."""
    assert code(kind, replace(GOOD, **changes)) is None


@pytest.mark.parametrize(
    ("kind", "changes", "wanted"),
    [
        (APPLY, {"is_ours": False}, "identity_conflict"),
        (APPLY, {"state": MachineState.DEPLOYING}, "machine_state"),
        (APPLY, {"state": MachineState.QUARANTINE}, "machine_state"),
        (APPLY, {"state": MachineState.RESCUE}, "machine_state"),
        (APPLY, {"installed_digest": "other"}, "machine_image"),
        (APPLY, {"installed_digest": None}, "machine_image"),
        (APPLY, {"power": PowerState.OFF}, "machine_power"),
        (REBOOT, {"power": PowerState.OFF}, "machine_power"),
        (DESTROY, {}, "machine_still_held"),
        (DESTROY, {"state": MachineState.CLEANING}, "machine_still_held"),
        (DESTROY, {"state": MachineState.RESERVED}, "machine_still_held"),
        (DESTROY, {"state": MachineState.ACTIVE, "is_untouched": True}, "machine_still_held"),
    ],
)
def test_what_is_not_is_told(kind: OperationKind, changes: dict[str, Any], wanted: str) -> None:
    """By a code that programs know."""
    assert code(kind, replace(GOOD, **changes)) == wanted


def test_a_machine_that_is_to_be_off_must_be_off() -> None:
    """And one in the rescue system on, and in that state."""
    off, rescued = replace(GOOD, power=PowerState.OFF), replace(GOOD, state=MachineState.RESCUE)
    assert (code(APPLY, off, started=False), code(APPLY, GOOD, started=False)) == (None, "machine_power")
    assert (code(APPLY, rescued, rescue=True), code(APPLY, GOOD, rescue=True)) == (None, "machine_state")
