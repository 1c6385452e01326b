"""Asks for platform runs, and ends them early; the caller's transaction commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, differences, record
from api.auth.caller import Principal
from api.auth.models import Role
from api.auth.staff import check_role
from api.errors import Conflict, InvalidInput, NotFound
from api.operations.events import LogLine
from api.plans.models import PlanStatus
from api.platform.customers import check_customers
from api.platform.errors import NotConfirmed, RunActive
from api.platform.models import ACTIVE_RUNS, PlatformRun, RunAction, RunStatus
from api.platform.repository import known_spec
from api.platform.results import close_run, note

_WAITING = (RunStatus.QUEUED, RunStatus.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True)
class RunWish:
    """What somebody wants done with a stack.

    Attributes:
        spec: the whole configuration, checked; None is the last one known.
        confirmation: for a destroy: the stack's name, typed.
    """

    stack: str
    action: RunAction
    reason: str
    spec: Mapping[str, Any] | None = None
    refreshes: bool = False
    confirmation: str = ""


class PlatformService:
    """Makes runs: one active run a stack."""

    def __init__(self, session: Session, lifetime_seconds: float) -> None:
        """``lifetime_seconds`` is how long a run may take in all its attempts, without the time for decisions."""
        self._session = session
        self._lifetime = timedelta(seconds=lifetime_seconds)

    def request(self, person: Principal, wish: RunWish) -> PlatformRun:
        """Make a run; a worker does the rest.

        Raises:
            RoleRequired: if the person is no administrator.
            InvalidInput: if nothing is known of the stack and no configuration is given.
            NotConfirmed: if a destroy does not repeat the stack's name.
            RunActive: if the stack has a run that has not ended.
            CustomersOnStack: if it would take away what carries customers.
        """
        check_role(person.role, Role.ADMIN)
        if wish.action is RunAction.DESTROY and wish.confirmation != wish.stack:
            raise NotConfirmed(f"'confirmation': type the stack's name, {wish.stack}, to have everything in it removed")
        before = known_spec(self._session, wish.stack)
        spec = before if wish.spec is None else dict(wish.spec)
        if spec is None:
            raise InvalidInput(f"'spec': nothing is known of the stack '{wish.stack}' yet: give its configuration")
        run = self._add(person, wish, spec)
        check_customers(self._session, run)
        entry = AuditEntry(
            action="platform_run.request",
            actor=Actor.of(person),
            subject_type="platform_run",
            subject_id=run.id,
            reason=wish.reason,
            diff={"stack": wish.stack, "action": wish.action, "spec": differences(before or {}, spec)},
        )
        record(self._session, entry)
        return run

    def cancel(self, run_id: UUID, person: Principal, reason: str) -> PlatformRun:
        """Ask for the end of a run: one that waits ends here and now, a running one after the step it is at.

        Raises:
            RoleRequired: if the person is no administrator.
            NotFound: if there is no such run.
            Conflict: if it has ended.
        """
        check_role(person.role, Role.ADMIN)
        run = lock_run(self._session, run_id)
        if run.status not in ACTIVE_RUNS:
            raise Conflict(f"this run is '{run.status}': there is nothing left to cancel")
        entry = AuditEntry(
            action="platform_run.cancel",
            actor=Actor.of(person),
            subject_type="platform_run",
            subject_id=run.id,
            reason=reason,
            diff={"stack": run.stack, "status": run.status},
        )
        record(self._session, entry)
        if run.status is RunStatus.RUNNING:
            run.cancel_requested_at = self._session.execute(select(func.now())).scalar_one()
            run.cancel_requested_by = person.user_id
            note(self._session, run, LogLine("cancel", f"Its end was asked for: {reason}. The step is let finish."))
        else:
            self._end(run, RunStatus.CANCELLED, "cancelled", f"it was cancelled: {reason}", PlanStatus.SUPERSEDED)
        return run

    def overdue(self, limit: int = 100) -> list[UUID]:
        """Return waiting runs whose deadline has passed; running ones are ended by whoever takes the lease."""
        query = (
            select(PlatformRun.id)
            .where(PlatformRun.status.in_(_WAITING), PlatformRun.deadline_at <= func.now())
            .order_by(PlatformRun.id)
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def give_up(self, run_id: UUID) -> None:
        """End a waiting run whose deadline has passed; harmless if it is at work or done by now."""
        run = lock_run(self._session, run_id)
        late = run.deadline_at <= self._session.execute(select(func.now())).scalar_one()
        if run.status in _WAITING and late:
            waited = f": {run.waits_for}" if run.waits_for else ""
            detail = f"it did not end in the time that it had{waited}"
            self._end(run, RunStatus.FAILED, "deadline", detail, PlanStatus.EXPIRED)

    def _add(self, person: Principal, wish: RunWish, spec: Mapping[str, Any]) -> PlatformRun:
        run = PlatformRun(
            id=uuid7(),
            stack=wish.stack,
            action=wish.action,
            spec=dict(spec),
            requested_by=person.user_id,
            reason=wish.reason,
            refreshes=wish.refreshes,
            engine=self._untidy_engine(wish.stack),
            deadline_at=self._session.execute(select(func.now() + self._lifetime)).scalar_one(),
        )
        try:
            with self._session.begin_nested():
                self._session.add(run)
        except IntegrityError:
            active = self._session.scalars(
                select(PlatformRun.id).where(PlatformRun.stack == wish.stack, PlatformRun.status.in_(ACTIVE_RUNS))
            ).first()
            raise RunActive(
                f"a run of '{wish.stack}' has not ended yet: wait for it, decide on its plan, or cancel it",
                run_id=None if active is None else str(active),
            ) from None
        return run

    def _untidy_engine(self, stack: str) -> dict[str, Any] | None:
        """Return the engine that the stack's last run left alive or half-way: the next one deals with it."""
        query = select(PlatformRun.engine).where(PlatformRun.stack == stack).order_by(PlatformRun.id.desc()).limit(1)
        return self._session.scalars(query).one_or_none()

    def _end(self, run: PlatformRun, status: RunStatus, code: str, detail: str, plan_status: PlanStatus) -> None:
        run.error_code, run.error_detail = code, detail
        note(self._session, run, LogLine("end", detail))
        close_run(self._session, run, status, plan_status)


def lock_run(session: Session, run_id: UUID) -> PlatformRun:
    """Return a run, locked until the transaction ends.

    Raises:
        NotFound: if there is none.
    """
    run = session.get(PlatformRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound("there is no such platform run")
    return run
