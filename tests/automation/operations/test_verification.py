"""What a node's word means for an operation."""

from dataclasses import replace

import pytest

from api.operations.models import OperationKind
from automation.operations.guests import GuestFacts
from automation.operations.verification import find_mismatch
from tests.fakes.workload_specs import minecraft

DESIRED = minecraft().model_dump(mode="json")
GUEST = GuestFacts(301, "blocks", is_running=True, tags=frozenset(minecraft().tags))
STOPPED = replace(GUEST, is_running=False)


@pytest.mark.parametrize(
    ("kind", "facts", "code"),
    [
        (OperationKind.APPLY, GUEST, None),
        (OperationKind.APPLY, replace(GUEST, tags=GUEST.tags | {"by-staff"}), None),
        (OperationKind.APPLY, STOPPED, "guest_power"),
        (OperationKind.APPLY, None, "guest_missing"),
        (OperationKind.APPLY, replace(GUEST, tags=frozenset()), "identity_conflict"),
        (OperationKind.REBOOT, GUEST, None),
        (OperationKind.REBOOT, STOPPED, "guest_power"),
        (OperationKind.DESTROY, None, None),
        (OperationKind.DESTROY, STOPPED, "guest_still_there"),
        (OperationKind.DESTROY, replace(GUEST, tags=frozenset()), "guest_still_there"),
    ],
)
def test_the_nodes_word_against_what_was_wanted(
    kind: OperationKind, facts: GuestFacts | None, code: str | None
) -> None:
    """Only a foreign guest at our number is beyond repair; anything at our number is in a destroy's way."""
    wrong = find_mismatch(kind, DESIRED, facts)
    assert (None if wrong is None else wrong.code) == code
    assert wrong is None or wrong.retryable is (code != "identity_conflict")


def test_a_guest_that_is_to_be_stopped_must_not_run() -> None:
    """The desired power state decides."""
    stopped = {**DESIRED, "started": False}
    assert find_mismatch(OperationKind.APPLY, stopped, STOPPED) is None
    assert find_mismatch(OperationKind.APPLY, stopped, GUEST) is not None
