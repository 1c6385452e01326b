"""The legal moves of a workload's life."""

from collections.abc import Mapping
from types import MappingProxyType

from api.errors import IllegalTransition
from api.workloads.models import WorkloadStatus as S

MOVES: Mapping[S, frozenset[S]] = MappingProxyType(
    {
        S.PENDING_PAYMENT: frozenset({S.QUEUED, S.DELETED}),
        S.QUEUED: frozenset({S.PROVISIONING, S.CANCELLING}),
        S.PROVISIONING: frozenset({S.RUNNING, S.STOPPED, S.QUEUED, S.CANCELLING, S.NEEDS_ATTENTION}),
        S.RUNNING: frozenset({S.UPDATING, S.STOPPED, S.SUSPENDED, S.CANCELLING, S.NEEDS_ATTENTION}),
        S.STOPPED: frozenset({S.UPDATING, S.RUNNING, S.SUSPENDED, S.CANCELLING, S.NEEDS_ATTENTION}),
        S.SUSPENDED: frozenset({S.UPDATING, S.CANCELLING, S.NEEDS_ATTENTION}),
        S.UPDATING: frozenset({S.RUNNING, S.STOPPED, S.SUSPENDED, S.CANCELLING, S.NEEDS_ATTENTION}),
        S.NEEDS_ATTENTION: frozenset({S.UPDATING, S.PROVISIONING, S.RUNNING, S.STOPPED, S.CANCELLING}),
        S.CANCELLING: frozenset({S.DELETED, S.NEEDS_ATTENTION, S.RUNNING, S.STOPPED}),
        S.DELETED: frozenset(),
    }
)
"""``needs_attention`` is where a person has to look: nothing leaves it by itself except by a new operation.

``cancelling`` goes back to ``running`` or ``stopped`` only when the removal is withdrawn before it has begun.
"""


def check_move(old: S, new: S) -> None:
    """Refuse a move that the life of a workload does not have.

    Raises:
        IllegalTransition: naming both states.
    """
    if new not in MOVES[old]:
        raise IllegalTransition(f"a workload that is '{old}' cannot become '{new}'", status_now=old.value)
