"""What is to be done to machines' power besides operations and deployments: kept in their rows, so that none is lost.

A message only hints at a wish. A worker takes it before it acts, so that it is carried out once. One whose worker died
over it is closed and not repeated, for nobody knows whether the machine was restarted already. Times are those of the
database.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from api.audit.trail import SYSTEM, AuditEntry, record
from api.machines.bmc import BmcAccess
from api.machines.deployments import Deployments
from api.machines.lifecycle import lock_machine
from api.machines.models import Machine, PowerVerb

__all__ = ["PowerVerb", "PowerWishes"]

HINT_GRACE = timedelta(seconds=15)
"""So long is the first message waited for."""
PATIENCE = timedelta(minutes=15)
"""A wish that is older is not carried out any more: whoever had it has long looked elsewhere."""


class PowerWishes:
    """Keeps wishes and takes them; each call belongs in a short transaction, which the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, machine: Machine, verb: PowerVerb) -> None:
        """Want a machine switched; a wish that nobody has taken yet is replaced. Who may, is the caller's to say."""
        machine.power_verb = verb
        machine.power_asked_at = self._session.execute(select(func.clock_timestamp())).scalar_one()
        machine.power_taken_at = None
        self._session.flush()

    def take(self, machine_id: UUID, verb: PowerVerb) -> BmcAccess | None:
        """Begin with a wish; None if there is no such wish, somebody has taken it, or it must not be done any more.

        A machine that is being booted for something is let alone, and the wish is closed.

        Raises:
            NotFound: if there is no such machine.
        """
        machine = lock_machine(self._session, machine_id)
        if machine.power_verb is not verb or machine.power_taken_at is not None:
            return None
        if Deployments(self._session).look(machine_id) is not None:
            self._close(machine, "it is being booted for something by now", "in_use")
            return None
        machine.power_taken_at = self._session.execute(select(func.clock_timestamp())).scalar_one()
        self._session.flush()
        return BmcAccess.of(machine)

    def end(self, machine_id: UUID, verb: PowerVerb, reason: str, result: str) -> None:
        """Record what came of a wish that was taken, and forget it unless there is a newer one by now.

        Raises:
            NotFound: if there is no such machine.
        """
        machine = lock_machine(self._session, machine_id)
        self._record(machine.name, verb, reason, result)
        if machine.power_verb is verb and machine.power_taken_at is not None:
            self._forget(machine)

    def drop(self, machine: Machine, why: str) -> None:
        """Close what is wanted of a locked machine and not begun: it must not meet the machine in its next life."""
        if machine.power_verb is not None and machine.power_taken_at is None:
            self._close(machine, why, "dropped")

    def due(self, limit: int = 100) -> list[tuple[UUID, PowerVerb]]:
        """Return wishes whose message was lost, the oldest first."""
        waiting = (Machine.power_taken_at.is_(None), Machine.power_asked_at <= func.now() - HINT_GRACE)
        query = select(Machine.id, Machine.power_verb).where(*waiting).order_by(Machine.power_asked_at).limit(limit)
        return [(machine_id, verb) for machine_id, verb in self._session.execute(query) if verb is not None]

    def close_old(self, limit: int = 100) -> None:
        """Close wishes that are too old to be carried out, and those whose worker died over them."""
        query = select(Machine).where(_is_old()).order_by(Machine.id).limit(limit).with_for_update(skip_locked=True)
        for machine in self._session.scalars(query.execution_options(populate_existing=True)).all():
            if machine.power_taken_at is None:
                self._close(machine, "no worker came to it in time: ask again if it is still wanted", "expired")
            else:
                self._close(machine, "its worker died over it: look how the machine is, and ask again", "unknown")

    def _close(self, machine: Machine, why: str, result: str) -> None:
        if machine.power_verb is not None:
            self._record(machine.name, machine.power_verb, why, result)
        self._forget(machine)

    def _forget(self, machine: Machine) -> None:
        machine.power_verb = machine.power_asked_at = machine.power_taken_at = None
        self._session.flush()

    def _record(self, machine: str, verb: PowerVerb, reason: str, result: str) -> None:
        entry = AuditEntry(
            action="machine.switch",
            actor=SYSTEM,
            subject_type="machine",
            subject_id=machine,
            reason=reason,
            diff={"verb": verb.value},
            result=result,
        )
        record(self._session, entry)


def _is_old() -> Any:
    return or_(
        and_(Machine.power_taken_at.is_(None), Machine.power_asked_at <= func.now() - PATIENCE),
        Machine.power_taken_at <= func.now() - PATIENCE,
    )
