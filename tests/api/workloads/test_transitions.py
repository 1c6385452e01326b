"""A workload's life: every state can be left, and everything that may exist outside can be taken away."""

import pytest

from api.errors import IllegalTransition
from api.workloads.models import WorkloadStatus as S
from api.workloads.transitions import MOVES, check_move


def test_every_status_has_its_moves_listed() -> None:
    """A status that is added without moves would be a dead end by accident."""
    assert set(MOVES) == set(S)


@pytest.mark.parametrize("status", [S.QUEUED, S.PROVISIONING, S.RUNNING, S.STOPPED, S.SUSPENDED, S.UPDATING])
def test_whatever_was_paid_for_can_be_cancelled(status: S) -> None:
    """A customer is never locked in."""
    check_move(status, S.CANCELLING)


def test_what_needs_attention_can_still_be_cancelled() -> None:
    """Staff may decide to take it away."""
    check_move(S.NEEDS_ATTENTION, S.CANCELLING)


def test_deletion_is_final() -> None:
    """Its VMID is spent and its addresses are released: it cannot come back."""
    assert MOVES[S.DELETED] == frozenset()


def test_only_what_was_never_made_skips_the_verified_removal() -> None:
    """``deleted`` is reached from ``cancelling``, and from an order that was never paid."""
    assert {old for old, new in MOVES.items() if S.DELETED in new} == {S.PENDING_PAYMENT, S.CANCELLING}


def test_an_illegal_move_names_both_states() -> None:
    """The answer says what is and what was asked for."""
    with pytest.raises(IllegalTransition, match="'deleted' cannot become 'running'"):
        check_move(S.DELETED, S.RUNNING)
