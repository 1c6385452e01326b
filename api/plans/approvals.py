"""People's word on plans: approve or reject what was seen, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, record
from api.auth.caller import Principal
from api.db.session import Database, Transaction
from api.errors import NotFound, SlipwayError
from api.jobs import Job, JobQueue
from api.operations.endings import Ending, Endings, has_begun
from api.operations.locks import lock_operation
from api.operations.models import Operation, OperationStatus
from api.operations.scheduling import lifetime
from api.orders.models import Order
from api.plans.closing import LIVE, record_plan, supersede_plans
from api.plans.errors import AlreadyDecided, NoApprovalNeeded, OwnPlan, PlanExpired, PlanMoved, PlanTampered
from api.plans.models import Approval, EngineVersions, Plan, PlanStatus, Verdict
from api.plans.store import PlanStore, binding_of, prices
from api.state.store import StackStates
from api.workloads.models import Workload


@dataclass(frozen=True, slots=True)
class _Case:
    """A plan under decision, with its rows locked in their order."""

    order: Order
    workload: Workload
    operation: Operation
    plan: Plan


class ApprovalService:
    """Takes decisions. Opens its own transactions: what is found out while refusing one is kept.

    Args:
        states: reads the stack's state, to tell whether it is still what was previewed.
        deadline_seconds: how long the operation may take once it is approved.
    """

    def __init__(self, database: Database, jobs: JobQueue, states: StackStates, deadline_seconds: float) -> None:
        self._database = database
        self._jobs = jobs
        self._states = states
        self._deadline_seconds = deadline_seconds

    def approve(self, plan_id: UUID, person: Principal, plan_hash: str, reason: str) -> bool:
        """Approve exactly the plan that was seen; True once enough people have, and it is on its way.

        Raises:
            NotFound: if there is no such plan.
            PlanMoved: if it is not the plan that was seen, or what it is bound to has moved; a fresh one is made then.
            PlanTampered: if its rows were edited; a fresh one is made.
            PlanExpired: if it was too late.
            OwnPlan: if the person asked for the operation.
            AlreadyDecided: if the person, or another who ended it, has decided.
            NoApprovalNeeded: if nobody's word is asked for.
        """
        digest = self._states.digest(self._stack_of(plan_id))

        def decide(transaction: Transaction, case: _Case) -> bool | SlipwayError:
            refusal = self._refusal(transaction.session, case, person) or self._moved(
                case, plan_hash, digest, transaction
            )
            return refusal or self._count(transaction, case, person, reason)

        return self._decide(plan_id, decide)

    def reject(self, plan_id: UUID, person: Principal, reason: str) -> None:
        """Reject a plan, even one that is approved but not begun: its operation ends, what was wanted is withdrawn.

        Raises:
            NotFound: if there is no such plan.
            AlreadyDecided: if it is rejected, applied, or begun.
            PlanExpired: if it was too late.
        """

        def decide(transaction: Transaction, case: _Case) -> bool | SlipwayError:
            if case.plan.status not in LIVE:
                return _closed(case.plan)
            if case.operation.status is OperationStatus.RUNNING:
                return AlreadyDecided("a worker has begun with this plan: cancel its operation instead")
            self._say(transaction.session, case.plan, person, Verdict.REJECT, reason)
            ending = Ending(
                OperationStatus.CANCELLED,
                "plan_rejected",
                f"the plan was rejected: {reason}",
                was_begun=has_begun(case.operation),
                plan_status=PlanStatus.REJECTED,
            )
            self._end(transaction, case, ending)
            return True

        self._decide(plan_id, decide)

    def expire(self, plan_id: UUID) -> None:
        """Close a plan on which nobody has decided in time; harmless if somebody has after all."""

        def decide(transaction: Transaction, case: _Case) -> bool | SlipwayError:
            now = transaction.session.execute(select(func.now())).scalar_one()
            if case.plan.status in LIVE and case.plan.expires_at <= now:
                self._expire(transaction, case)
            return True

        self._decide(plan_id, decide)

    def _decide(self, plan_id: UUID, decide: Callable[[Transaction, _Case], bool | SlipwayError]) -> bool:
        """Keep what was written even where the answer is a refusal."""
        with self._database.transaction() as transaction:
            answer = decide(transaction, _lock_case(transaction.session, plan_id))
        if isinstance(answer, SlipwayError):
            raise answer
        return answer

    def _refusal(self, session: Session, case: _Case, person: Principal) -> SlipwayError | None:
        if case.plan.status not in LIVE or case.operation.status is not OperationStatus.AWAITING_APPROVAL:
            return _closed(case.plan)
        if case.operation.requested_by == person.user_id:
            return OwnPlan("you asked for this change yourself: somebody else has to approve it")
        said = session.scalars(
            select(Approval.id).where(Approval.plan_id == case.plan.id, Approval.user_id == person.user_id)
        ).first()
        return None if said is None else AlreadyDecided("you have approved this plan already; another person has to")

    def _moved(self, case: _Case, seen_hash: str, digest: str | None, transaction: Transaction) -> SlipwayError | None:
        """Look whether the plan is still what was seen, and still fits the world; if not, have a fresh one made."""
        session, plan = transaction.session, case.plan
        if plan.expires_at <= session.execute(select(func.now())).scalar_one():
            self._expire(transaction, case)
            return PlanExpired("nobody decided on this plan in time; the change was withdrawn")
        if seen_hash != plan.hash:
            return PlanMoved("this is not the plan that you were shown: look at it again", plan_id=str(plan.id))
        error: SlipwayError
        try:
            PlanStore(session).check(plan)
        except PlanTampered as tampered:
            error = tampered
        else:
            moved = self._what_moved(session, case, digest)
            if moved is None:
                return None
            error = PlanMoved(f"{moved}; a fresh preview is being made", plan_id=str(plan.id))
        supersede_plans(session, case.operation.id, error.detail)
        self._queue(transaction, case)
        return error

    def _what_moved(self, session: Session, case: _Case, digest: str | None) -> str | None:
        plan = case.plan
        newest = session.get(EngineVersions, 1)
        before, after = prices(case.order, case.workload, case.operation)
        now = binding_of(plan)
        changes = {
            "generation": case.workload.generation,
            "start_digest": digest,
            "versions": plan.versions if newest is None else newest.versions,
            "price_before_cents": before,
            "price_after_cents": after,
        }
        return now.moved_to(now.replace(**changes))

    def _count(self, transaction: Transaction, case: _Case, person: Principal, reason: str) -> bool:
        session, plan = transaction.session, case.plan
        self._say(session, plan, person, Verdict.APPROVE, reason)
        if PlanStore(session).approvals(plan, case.operation.requested_by) < plan.approvals_needed:
            return False
        record_plan(session, plan, PlanStatus.APPROVED, "enough people have approved it")
        plan.status = PlanStatus.APPROVED
        self._queue(transaction, case)
        return True

    def _say(self, session: Session, plan: Plan, person: Principal, verdict: Verdict, reason: str) -> None:
        """Write a person's word; who approved and rejects now has thought better of it."""
        word = {"verdict": verdict, "reason": reason, "plan_hash": plan.hash}
        statement = insert(Approval).values(id=uuid7(), plan_id=plan.id, user_id=person.user_id, **word)
        session.execute(statement.on_conflict_do_update(index_elements=["plan_id", "user_id"], set_=word))
        record(
            session,
            AuditEntry(
                action=f"plan.{verdict}",
                actor=Actor.of(person),
                subject_type="plan",
                subject_id=plan.id,
                reason=reason,
                plan_id=plan.id,
                diff={"hash": plan.hash, "summary": plan.summary},
                cost_before_cents=plan.price_before_cents,
                cost_after_cents=plan.price_after_cents,
            ),
        )

    def _expire(self, transaction: Transaction, case: _Case) -> None:
        ending = Ending(
            OperationStatus.CANCELLED,
            "plan_expired",
            "nobody decided on the plan in time",
            was_begun=has_begun(case.operation),
            plan_status=PlanStatus.EXPIRED,
        )
        self._end(transaction, case, ending)

    def _end(self, transaction: Transaction, case: _Case, ending: Ending) -> None:
        endings = Endings(transaction.session, self._deadline_seconds)
        following = endings.give_up(case.order, case.workload, case.operation, ending)
        if following is not None:
            self._hint(transaction, following.id)
        transaction.after_commit(lambda: self._jobs.enqueue(Job.PAY_REFUNDS))

    def _queue(self, transaction: Transaction, case: _Case) -> None:
        """Let a worker have the operation, with all its time before it."""
        session, operation = transaction.session, case.operation
        now = session.execute(select(func.now())).scalar_one()
        operation.status, operation.next_attempt_at = OperationStatus.QUEUED, now
        operation.deadline_at = now + lifetime(case.workload, self._deadline_seconds)
        session.flush()
        self._hint(transaction, operation.id)

    def _hint(self, transaction: Transaction, operation_id: UUID) -> None:
        transaction.after_commit(lambda: self._jobs.enqueue(Job.RUN_OPERATION, operation_id))

    def _stack_of(self, plan_id: UUID) -> str:
        with self._database.transaction() as transaction:
            stack = transaction.session.scalars(
                select(Workload.stack).join(Plan, Plan.workload_id == Workload.id).where(Plan.id == plan_id)
            ).one_or_none()
        if stack is None:
            raise NotFound("there is no such plan")
        return stack


def expired_plans(session: Session, limit: int = 100) -> list[UUID]:
    """Return live plans whose time is over, the oldest first."""
    query = select(Plan.id).where(Plan.status.in_(LIVE), Plan.expires_at <= func.now()).order_by(Plan.id).limit(limit)
    return list(session.scalars(query))


def _lock_case(session: Session, plan_id: UUID) -> _Case:
    """Lock in the order that holds everywhere: order, workload, operation, then the plan."""
    operation_id = session.scalars(select(Plan.operation_id).where(Plan.id == plan_id)).one_or_none()
    if operation_id is None:
        raise NotFound("there is no such plan")
    locked = lock_operation(session, operation_id)
    plan = session.scalars(
        select(Plan)
        .where(Plan.id == plan_id)
        .with_for_update()
        .options(selectinload(Plan.steps))
        .execution_options(populate_existing=True)
    ).one()
    return _Case(*locked, plan)


def _closed(plan: Plan) -> SlipwayError:
    """Say why a plan can no longer be decided on."""
    if plan.status is PlanStatus.SUPERSEDED:
        return PlanMoved(f"{plan.closed_reason or 'this plan is no longer the newest'}; look at the fresh one")
    if plan.status is PlanStatus.EXPIRED:
        return PlanExpired("nobody decided on this plan in time; the change was withdrawn")
    if plan.status is PlanStatus.APPLIED and plan.approvals_needed == 0:
        return NoApprovalNeeded("this plan needed nobody's approval")
    return AlreadyDecided(f"this plan is '{plan.status}' already")
