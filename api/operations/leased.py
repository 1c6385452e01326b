"""An operation as the worker that leased it sees it: everything it needs without another query."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from api.inventory.models import Node
from api.machines.models import Machine
from api.operations.models import Operation, OperationKind
from api.workloads.models import Workload


@dataclass(frozen=True, slots=True)
class LeasedNode:
    """The node that the workload is a guest of; its credential is sealed."""

    id: UUID
    name: str
    endpoint: str
    verify_tls: bool
    token_encrypted: bytes = field(repr=False)

    @property
    def words(self) -> str:
        """What people call it."""
        return f"node {self.name}"

    @classmethod
    def of(cls, node: Node) -> Self:
        """Read a node's row."""
        return cls(node.id, node.name, node.endpoint, node.verify_tls, node.sealed_token)


@dataclass(frozen=True, slots=True)
class LeasedMachine:
    """The machine that is the workload's own."""

    id: UUID
    name: str

    @property
    def words(self) -> str:
        """What people call it."""
        return f"machine {self.name}"

    @classmethod
    def of(cls, machine: Machine) -> Self:
        """Read a machine's row."""
        return cls(machine.id, machine.name)


@dataclass(frozen=True, slots=True)
class Leased:
    """A leased operation.

    Attributes:
        fence: to be carried by every write.
        previous_engine: the engine of an earlier attempt that may live on, or left the stack untidy (the runner's
            own document).
        has_stack: whether the stack may exist already.
        was_applied: whether the workload has been delivered once.
        refreshes: the engine shall look at what is really there first.
        is_overdue: the operation's time was over when the lease was taken.
        seconds_left: until then.
        traceparent: the trace that asked for it.
        place: where the workload is.
    """

    operation_id: UUID
    workload_id: UUID
    kind: OperationKind
    generation: int
    desired: Mapping[str, Any]
    fence: int
    attempt: int
    deadline_at: datetime
    previous_engine: Mapping[str, Any] | None
    has_stack: bool
    was_applied: bool
    refreshes: bool
    is_overdue: bool
    seconds_left: float
    traceparent: str | None
    stack: str
    vmid: int
    name: str
    passphrase_encrypted: bytes
    place: LeasedNode | LeasedMachine

    @classmethod
    def of(
        cls,
        operation: Operation,
        workload: Workload,
        place: LeasedNode | LeasedMachine,
        previous_engine: Mapping[str, Any] | None,
        now: datetime,
    ) -> Self:
        """Read the rows of an operation that was leased ``now``."""
        return cls(
            operation_id=operation.id,
            workload_id=workload.id,
            kind=operation.kind,
            generation=operation.generation,
            desired=operation.desired,
            fence=operation.fence,
            attempt=operation.attempts,
            deadline_at=operation.deadline_at,
            previous_engine=previous_engine,
            has_stack=workload.has_stack,
            was_applied=workload.applied_generation > 0,
            refreshes=operation.refreshes,
            is_overdue=operation.deadline_at <= now,
            seconds_left=(operation.deadline_at - now).total_seconds(),
            traceparent=operation.traceparent,
            stack=workload.stack,
            vmid=workload.vmid,
            name=workload.name,
            passphrase_encrypted=workload.passphrase_encrypted,
            place=place,
        )
