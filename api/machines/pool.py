"""Chooses machines for orders and holds them, inside the order's transaction."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from api.machines.errors import NoMachine
from api.machines.lifecycle import is_wiped, move
from api.machines.models import Machine
from components.specs.machine import MachineState

_SOLD_OUT = "no machine of class '{}' is free at the moment; nothing was charged"


class MachinePool:
    """Counts every order from the moment it is placed, paid or not, so that no machine is sold twice.

    The caller's transaction commits. A machine is the last row that a transaction locks but for the audit trail's.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def reserve(self, machine_class: str, sites: Collection[UUID], workload_id: UUID) -> Machine:
        """Hold a machine of a class at one of ``sites`` for a workload, whose row may follow in the same transaction.

        A machine that nobody else is looking at is taken without waiting. Where all are being looked at, they are
        locked in one order: of two orders for the last machine, one waits for what becomes of the other.

        Raises:
            NoMachine: if none is available.
        """
        query = _available(machine_class, sites).order_by(Machine.id).execution_options(populate_existing=True)
        chosen = self._session.scalars(query.limit(1).with_for_update(skip_locked=True)).one_or_none()
        if chosen is None:
            chosen = next(iter(self._session.scalars(query.with_for_update()).all()), None)
        if chosen is None:
            raise NoMachine(_SOLD_OUT.format(machine_class))
        with self._session.no_autoflush:  # owner and state change in one statement: neither is allowed alone
            chosen.workload_id = workload_id
            move(self._session, chosen, MachineState.RESERVED, f"ordered: held for workload {workload_id}")
        return chosen

    def look(self, machine_class: str, sites: Collection[UUID]) -> Machine | None:
        """Return a machine that an order would get now, without a lock and without a promise; None if there is none."""
        return self._session.scalars(_available(machine_class, sites).order_by(Machine.id).limit(1)).one_or_none()

    def release_unpaid(self, workload_id: UUID) -> None:
        """Give the machine of an order back that was never paid; does nothing if it holds none, or the second time.

        One that something may have been written to since it was wiped stays where it is: it leaves by its workload's
        removal, which wipes it.
        """
        query = select(Machine).where(Machine.workload_id == workload_id, Machine.state == MachineState.RESERVED)
        machine = self._session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
        if machine is not None and is_wiped(machine):
            move(self._session, machine, MachineState.AVAILABLE, "not paid; nothing was written to it")

    def free(self, machine_class: str) -> int:
        """Return how many machines of a class an order could get, at all sites."""
        return self.counts().get((machine_class, MachineState.AVAILABLE), 0)

    def counts(self) -> Mapping[tuple[str, MachineState], int]:
        """Return how many machines there are by class and state; what there is none of is left out."""
        query = select(Machine.machine_class, Machine.state, func.count()).group_by(
            Machine.machine_class, Machine.state
        )
        return {(machine_class, state): count for machine_class, state, count in self._session.execute(query)}


def _available(machine_class: str, sites: Collection[UUID]) -> Select[Machine]:
    return select(Machine).where(
        Machine.machine_class == machine_class, Machine.state == MachineState.AVAILABLE, Machine.site_id.in_(sites)
    )
