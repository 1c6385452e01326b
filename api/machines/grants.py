"""What lets one operation's engine do things with one machine: a token that is void with the operation's lease."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.auth.credentials import digest
from api.errors import Unauthenticated
from api.machines.models import MachineGrant
from api.operations.models import Operation, OperationStatus

GRANT_PREFIX = "slg_"
"""By which secret scanners know such a token."""

_NO_GRANT = "this grant is void: its operation has ended, another worker has taken it over, or its time is over"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may do something with which machine.

    Attributes:
        fence: of the lease that it was made under.
        is_cancel_requested: somebody wants the operation to end.
    """

    machine_id: UUID
    workload_id: UUID
    operation_id: UUID
    fence: int
    is_cancel_requested: bool


class MachineGrants:
    """Makes grants and looks them up; only a token's SHA-256 is stored, for it has 256 bits of chance."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def mint(self, machine_id: UUID, workload_id: UUID, operation_id: UUID, fence: int, expires_at: datetime) -> str:
        """Make a grant for a lease and return its token, which is nowhere else."""
        token = GRANT_PREFIX + secrets.token_urlsafe(32)
        self._session.add(
            MachineGrant(
                token_hash=digest(token),
                machine_id=machine_id,
                workload_id=workload_id,
                operation_id=operation_id,
                fence=fence,
                expires_at=expires_at,
            )
        )
        self._session.flush()
        return token

    def resolve(self, token: str, *, holds: bool = True) -> Grant:
        """Return what a token allows.

        Args:
            token: as ``mint`` gave it out.
            holds: keep the operation from being taken over until the transaction ends, which every write needs.

        Raises:
            Unauthenticated: if there is no such grant, it has expired, its operation does not run, or runs under
                another fence.
        """
        query = (
            select(MachineGrant, Operation.cancel_requested_at)
            .join(Operation, Operation.id == MachineGrant.operation_id)
            .where(
                MachineGrant.token_hash == digest(token),
                MachineGrant.expires_at > func.now(),
                Operation.status == OperationStatus.RUNNING,
                Operation.fence == MachineGrant.fence,
            )
        )
        if holds:
            query = query.with_for_update(read=True, of=Operation)
        found = self._session.execute(query).one_or_none()
        if found is None:
            raise Unauthenticated(_NO_GRANT)
        grant, cancel_requested_at = found
        return Grant(
            machine_id=grant.machine_id,
            workload_id=grant.workload_id,
            operation_id=grant.operation_id,
            fence=grant.fence,
            is_cancel_requested=cancel_requested_at is not None,
        )
