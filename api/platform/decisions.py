"""Administrators' word on platform plans: approve or reject what was seen, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, record
from api.auth.caller import Principal
from api.auth.models import Role
from api.auth.staff import check_role
from api.db.session import Database, Transaction
from api.errors import NotFound, SlipwayError
from api.jobs import Job, JobQueue
from api.operations.events import LogLine
from api.plans.closing import LIVE
from api.plans.errors import AlreadyDecided, NoApprovalNeeded, OwnPlan, PlanExpired, PlanMoved, PlanTampered
from api.plans.models import EngineVersions, PlanStatus, Verdict
from api.platform.customers import check_customers
from api.platform.errors import CustomersOnStack
from api.platform.models import PlatformApproval, PlatformPlan, PlatformRun, RunStatus
from api.platform.plans import RunPlans, binding_of, close_plans, one_person_may, rebound, record_plan
from api.platform.results import close_run, note
from api.platform.service import lock_run
from api.state.store import StackStates

_LATE = "nobody decided on this plan in time; the run has ended"


@dataclass(frozen=True, slots=True)
class _Case:
    """A plan under decision, its run locked first, then itself."""

    transaction: Transaction
    run: PlatformRun
    plan: PlatformPlan

    @property
    def session(self) -> Session:
        """The transaction's session."""
        return self.transaction.session


class PlatformDecisions:
    """Takes decisions. Opens its own transactions: what is found out while refusing one is kept.

    Args:
        states: reads the stack's state, to tell whether it is still what was previewed.
        lifetime_seconds: how long the run may take once it is approved.
    """

    def __init__(self, database: Database, jobs: JobQueue, states: StackStates, lifetime_seconds: float) -> None:
        self._database = database
        self._jobs = jobs
        self._states = states
        self._lifetime = timedelta(seconds=lifetime_seconds)

    def approve(self, plan_id: UUID, person: Principal, plan_hash: str, reason: str) -> bool:
        """Approve exactly the plan that was seen; True once it is on its way.

        Raises:
            RoleRequired: if the person is no administrator.
            NotFound: if there is no such plan.
            PlanMoved: if it is not the plan that was seen, or what it is bound to has moved; a fresh one is made then.
            PlanTampered: if its rows were edited; a fresh one is made.
            PlanExpired: if it was too late.
            OwnPlan: if the person asked for the run, and policy wants another one.
            AlreadyDecided: if the person, or another who ended it, has decided.
            NoApprovalNeeded: if nobody's word is asked for.
            CustomersOnStack: if customers have come onto what would be removed.
        """
        check_role(person.role, Role.ADMIN)
        digest = self._states.digest(self._stack_of(plan_id))

        def decide(case: _Case) -> bool | SlipwayError:
            refusal = _refusal(case, person) or self._moved(case, plan_hash, digest) or _carried(case)
            return refusal or self._count(case, person, reason)

        return self._decide(plan_id, decide)

    def reject(self, plan_id: UUID, person: Principal, reason: str) -> None:
        """Reject a plan, even one that is approved but not begun: its run ends.

        Raises:
            RoleRequired: if the person is no administrator.
            NotFound: if there is no such plan.
            AlreadyDecided: if it is rejected, applied, or begun.
            PlanExpired: if it was too late.
        """
        check_role(person.role, Role.ADMIN)

        def decide(case: _Case) -> bool | SlipwayError:
            if case.plan.status not in LIVE:
                return _closed(case.plan)
            if case.run.status is RunStatus.RUNNING:
                return AlreadyDecided("a worker has begun with this plan: cancel its run instead")
            _say(case, person, Verdict.REJECT, reason)
            _end(case, RunStatus.REJECTED, PlanStatus.REJECTED, "plan_rejected", f"the plan was rejected: {reason}")
            return True

        self._decide(plan_id, decide)

    def expire(self, plan_id: UUID) -> None:
        """Close a plan on which nobody has decided in time; harmless if somebody has after all."""

        def decide(case: _Case) -> bool | SlipwayError:
            now = case.session.execute(select(func.now())).scalar_one()
            if case.plan.status in LIVE and case.plan.expires_at <= now and case.run.status is not RunStatus.RUNNING:
                _end(case, RunStatus.EXPIRED, PlanStatus.EXPIRED, "plan_expired", _LATE)
            return True

        self._decide(plan_id, decide)

    def _decide(self, plan_id: UUID, decide: Callable[[_Case], bool | SlipwayError]) -> bool:
        """Keep what was written even where the answer is a refusal."""
        with self._database.transaction() as transaction:
            answer = decide(_lock_case(transaction, plan_id))
        if isinstance(answer, SlipwayError):
            raise answer
        return answer

    def _moved(self, case: _Case, seen: str, digest: str | None) -> SlipwayError | None:
        """Look whether the plan is still what was seen, and still fits the world; if not, have a fresh one made."""
        session, plan = case.session, case.plan
        if plan.expires_at <= session.execute(select(func.now())).scalar_one():
            _end(case, RunStatus.EXPIRED, PlanStatus.EXPIRED, "plan_expired", _LATE)
            return PlanExpired(_LATE)
        if seen != plan.hash:
            return PlanMoved("this is not the plan that you were shown: look at it again", plan_id=str(plan.id))
        error: SlipwayError
        try:
            RunPlans(session).check(case.run, plan)
        except PlanTampered as tampered:
            error = tampered
        else:
            newest = session.get(EngineVersions, 1)
            bound = binding_of(case.run, plan)
            versions = plan.versions if newest is None else newest.versions
            moved = bound.moved_to(rebound(bound, start_digest=digest, versions=versions))
            if moved is None:
                return None
            error = PlanMoved(f"{moved}; a fresh preview is being made", plan_id=str(plan.id))
        close_plans(session, case.run, PlanStatus.SUPERSEDED, error.detail)
        self._queue(case.transaction, case.run)
        return error

    def _count(self, case: _Case, person: Principal, reason: str) -> bool:
        session, plan = case.session, case.plan
        _say(case, person, Verdict.APPROVE, reason)
        if RunPlans(session).approvals(plan, case.run) < plan.approvals_needed:
            return False
        plan.status = PlanStatus.APPROVED
        record_plan(session, case.run, plan, "enough people have approved it")
        self._queue(case.transaction, case.run)
        return True

    def _queue(self, transaction: Transaction, run: PlatformRun) -> None:
        """Let a worker have the run, with all its time before it."""
        session, run_id = transaction.session, run.id
        now = session.execute(select(func.now())).scalar_one()
        run.status, run.next_attempt_at, run.deadline_at = RunStatus.QUEUED, now, now + self._lifetime
        session.flush()
        transaction.after_commit(lambda: self._jobs.enqueue(Job.RUN_PLATFORM, run_id))

    def _stack_of(self, plan_id: UUID) -> str:
        with self._database.transaction() as transaction:
            query = select(PlatformRun.stack).join(PlatformPlan, PlatformPlan.run_id == PlatformRun.id)
            stack = transaction.session.scalars(query.where(PlatformPlan.id == plan_id)).one_or_none()
        if stack is None:
            raise NotFound("there is no such plan")
        return stack


def expired_platform_plans(session: Session, limit: int = 100) -> list[UUID]:
    """Return plans that wait beyond their time, the oldest first."""
    query = (
        select(PlatformPlan.id)
        .join(PlatformRun, PlatformRun.id == PlatformPlan.run_id)
        .where(
            PlatformPlan.status.in_(LIVE),
            PlatformPlan.expires_at <= func.now(),
            PlatformRun.status != RunStatus.RUNNING,
        )
    )
    return list(session.scalars(query.order_by(PlatformPlan.id).limit(limit)))


def _lock_case(transaction: Transaction, plan_id: UUID) -> _Case:
    session = transaction.session
    run_id = session.scalars(select(PlatformPlan.run_id).where(PlatformPlan.id == plan_id)).one_or_none()
    if run_id is None:
        raise NotFound("there is no such plan")
    run = lock_run(session, run_id)
    return _Case(transaction, run, session.get_one(PlatformPlan, plan_id, with_for_update=True, populate_existing=True))


def _refusal(case: _Case, person: Principal) -> SlipwayError | None:
    if case.plan.status not in LIVE or case.run.status is not RunStatus.AWAITING_APPROVAL:
        return _closed(case.plan)
    if case.run.requested_by == person.user_id and not one_person_may(case.session):
        return OwnPlan("you asked for this run yourself: another administrator has to approve it")
    said = case.session.scalars(
        select(PlatformApproval.id).where(
            PlatformApproval.plan_id == case.plan.id,
            PlatformApproval.user_id == person.user_id,
            PlatformApproval.plan_hash == case.plan.hash,
        )
    ).first()
    return None if said is None else AlreadyDecided("you have approved this plan already; another person has to")


def _carried(case: _Case) -> SlipwayError | None:
    try:
        check_customers(case.session, case.run)
    except CustomersOnStack as error:
        return error
    return None


def _say(case: _Case, person: Principal, verdict: Verdict, reason: str) -> None:
    """Write a person's word; who approved and rejects now has thought better of it."""
    plan = case.plan
    word = {"verdict": verdict, "reason": reason, "plan_hash": plan.hash}
    statement = insert(PlatformApproval).values(id=uuid7(), plan_id=plan.id, user_id=person.user_id, **word)
    case.session.execute(statement.on_conflict_do_update(index_elements=["plan_id", "user_id"], set_=word))
    entry = AuditEntry(
        action=f"platform_plan.{verdict}",
        actor=Actor.of(person),
        subject_type="platform_plan",
        subject_id=plan.id,
        reason=reason,
        diff={"run": case.run.id, "stack": case.run.stack, "hash": plan.hash, "summary": plan.summary},
    )
    record(case.session, entry)


def _end(case: _Case, status: RunStatus, plan_status: PlanStatus, code: str, detail: str) -> None:
    case.run.error_code, case.run.error_detail = code, detail
    note(case.session, case.run, LogLine("end", detail))
    close_run(case.session, case.run, status, plan_status)


def _closed(plan: PlatformPlan) -> SlipwayError:
    """Say why a plan can no longer be decided on."""
    if plan.status is PlanStatus.SUPERSEDED:
        return PlanMoved(f"{plan.closed_reason or 'this plan is no longer the newest'}; look at the fresh one")
    if plan.status is PlanStatus.EXPIRED:
        return PlanExpired(_LATE)
    if plan.status is PlanStatus.APPLIED and plan.approvals_needed == 0:
        return NoApprovalNeeded("this plan needed nobody's approval")
    return AlreadyDecided(f"this plan is '{plan.status}' already")
