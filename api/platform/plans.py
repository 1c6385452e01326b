"""Plans of platform runs: what an approval counts for, stored, and read back with proof that nobody edited them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import SYSTEM, AuditEntry, record
from api.plans.closing import LIVE
from api.plans.document import PlanDocument, digest
from api.plans.errors import PlanTampered
from api.plans.models import PlanStatus, Verdict
from api.plans.store import Gate, Preview
from api.plans.words import describe
from api.platform.models import PlatformApproval, PlatformPlan, PlatformRun
from api.policy.settings import current_policy
from components.policy.context import PolicyContext
from components.policy.evaluate import evaluate, refusal
from components.policy.platform import PLATFORM_RULES

_LOOKED = "nothing was to be applied: it was only looked"
_NOTHING = "there is nothing to change"


@dataclass(frozen=True, slots=True)
class RunBinding:
    """The circumstances in which a platform plan was made: its approval counts for exactly these.

    Attributes:
        stack: and ``action``, and ``spec`` (its SHA-256): what was asked for.
        start_digest: of the stack's state; None if there was no stack.
        versions: of program, CLI and plugins.
    """

    stack: str
    action: str
    spec: str
    start_digest: str | None
    versions: Mapping[str, Any]

    @classmethod
    def of(cls, run: PlatformRun, start_digest: str | None, versions: Mapping[str, Any]) -> Self:
        """Bind what a run asks for to a state and to versions."""
        return cls(run.stack, run.action.value, digest(run.spec), start_digest, dict(versions))

    def hash(self, document: PlanDocument) -> str:
        """Return the plan's hash: the SHA-256 of its steps and of all that they are bound to."""
        return digest({"binding": asdict(self), "steps": document.model_dump(mode="json")["steps"]})

    def moved_to(self, now: "RunBinding") -> str | None:
        """Say in a sentence what differs by ``now``, or None if nothing does."""
        if self.spec != now.spec:
            return "another configuration is wanted by now"
        if self.start_digest != now.start_digest:
            return "the stack's state has changed since the preview"
        if dict(self.versions) != dict(now.versions):
            return "the program or a plugin has been updated since the preview"
        return None


class RunPlans:
    """Stores and reads plans; the caller holds the run's lock."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def admit(self, run: PlatformRun, preview: Preview) -> tuple[PlatformPlan, Gate]:
        """Store a fresh preview as the run's plan and say whether it may be applied now.

        A plan that is previewed again is recognised by its hash and keeps its approvals; so does what was left of one
        when its engine was cut off. Anything else supersedes what was approved before. Approvals are counted each
        time, so that no edited row opens the gate.
        """
        document = PlanDocument.of(preview.steps)
        binding = RunBinding.of(run, preview.start_digest, preview.versions)
        latest = self.latest(run.id)
        if latest is not None and not self._is_genuine(run, latest):
            latest = None
        needed = self._needed(run, document)
        known = latest is not None and latest.hash == binding.hash(document)
        if latest is not None and known and latest.status in (*LIVE, PlanStatus.APPLIED):
            plan, plan.approvals_needed = latest, needed if latest.continues_id is None else 0
        else:
            moved = None if latest is None else binding_of(run, latest).moved_to(binding)
            close_plans(self._session, run, PlanStatus.SUPERSEDED, moved or "a fresh preview shows other steps")
            plan = self._insert(run, document, binding, needed)
            if latest is not None and _is_rest_of(run, document, binding, latest):
                plan.approvals_needed, plan.continues_id = 0, latest.id
        return plan, self._decide(run, plan)

    def approvals(self, plan: PlatformPlan, run: PlatformRun) -> int:
        """Count the different admins who approved exactly this plan; who asked counts only where one person may."""
        query = select(func.count(func.distinct(PlatformApproval.user_id))).where(
            PlatformApproval.plan_id == plan.id,
            PlatformApproval.verdict == Verdict.APPROVE,
            PlatformApproval.plan_hash == plan.hash,
        )
        if not one_person_may(self._session):
            query = query.where(PlatformApproval.user_id != run.requested_by)
        return self._session.execute(query).scalar_one()

    def latest(self, run_id: UUID) -> PlatformPlan | None:
        """Return a run's newest plan, or None."""
        query = select(PlatformPlan).where(PlatformPlan.run_id == run_id).order_by(PlatformPlan.id.desc()).limit(1)
        return self._session.scalars(query.execution_options(populate_existing=True)).one_or_none()

    def check(self, run: PlatformRun, plan: PlatformPlan) -> None:
        """Prove that a stored plan is what was previewed.

        Raises:
            PlanTampered: if its rows no longer fit its hash.
        """
        if binding_of(run, plan).hash(document_of(plan)) != plan.hash:
            raise PlanTampered("this plan was changed in the database after its preview; it will not be applied")

    def _needed(self, run: PlatformRun, document: PlanDocument) -> int:
        return 0 if run.action.only_looks or not document.changing else 1

    def _decide(self, run: PlatformRun, plan: PlatformPlan) -> Gate:
        refused = self._refusal(document_of(plan))
        if refused is not None and not run.action.only_looks:
            plan.status, plan.closed_reason = PlanStatus.REFUSED, refused
            self._session.flush()
            record_plan(self._session, run, plan, refused)
            return Gate.REFUSED
        if plan.approvals_needed > self.approvals(plan, run):
            plan.status, gate, reason = PlanStatus.CURRENT, Gate.WAIT, "an administrator has to approve it"
        else:
            plan.status, gate, reason = PlanStatus.APPLIED, Gate.OPEN, "nobody has to approve it any more"
        if run.action.only_looks:
            plan.status, plan.closed_reason, reason = PlanStatus.SUPERSEDED, _LOOKED, _LOOKED
        elif not document_of(plan).changing:
            reason = _NOTHING
        self._session.flush()
        record_plan(self._session, run, plan, reason)
        return gate

    def _refusal(self, document: PlanDocument) -> str | None:
        """Return why policy forbids a plan; None if it may be applied. There is no switch that leaves this out."""
        now = self._session.execute(select(func.now())).scalar_one()
        return refusal(evaluate(document, PolicyContext(now=now), rules=PLATFORM_RULES))

    def _is_genuine(self, run: PlatformRun, plan: PlatformPlan) -> bool:
        try:
            self.check(run, plan)
        except PlanTampered as error:
            plan.status, plan.closed_reason = PlanStatus.SUPERSEDED, error.detail
            self._session.flush()
            record_plan(self._session, run, plan, error.detail)
            return False
        return True

    def _insert(
        self, run: PlatformRun, document: PlanDocument, binding: RunBinding, approvals_needed: int
    ) -> PlatformPlan:
        lifetime = timedelta(hours=current_policy(self._session).approval_lifetime_hours)
        plan = PlatformPlan(
            id=uuid7(),
            run_id=run.id,
            status=PlanStatus.CURRENT,
            hash=binding.hash(document),
            start_digest=binding.start_digest,
            versions=dict(binding.versions),
            summary=describe(document, run.stack),
            steps=document.model_dump(mode="json")["steps"],
            approvals_needed=approvals_needed,
            expires_at=self._session.execute(select(func.now() + lifetime)).scalar_one(),
        )
        self._session.add(plan)
        self._session.flush()
        return plan


def one_person_may(session: Session) -> bool:
    """Tell whether policy lets one administrator both ask for a platform run and approve its plan."""
    return current_policy(session).platform_approvals_by_others == 0


def binding_of(run: PlatformRun, plan: PlatformPlan) -> RunBinding:
    """Return what a stored plan is bound to."""
    return RunBinding.of(run, plan.start_digest, plan.versions)


def rebound(binding: RunBinding, **changes: Any) -> RunBinding:
    """Return a binding in other circumstances."""
    return replace(binding, **changes)


def document_of(plan: PlatformPlan) -> PlanDocument:
    """Return a stored plan's document."""
    return PlanDocument.of(plan.steps)


def close_plans(session: Session, run: PlatformRun, status: PlanStatus, reason: str) -> None:
    """Close a run's live plan, if it has one."""
    closed: Sequence[PlatformPlan] = session.scalars(
        update(PlatformPlan)
        .where(PlatformPlan.run_id == run.id, PlatformPlan.status.in_(LIVE))
        .values(status=status, closed_reason=reason)
        .returning(PlatformPlan)
        .execution_options(synchronize_session="fetch", populate_existing=True)
    ).all()
    for plan in closed:
        record_plan(session, run, plan, reason)


def record_plan(session: Session, run: PlatformRun, plan: PlatformPlan, reason: str) -> None:
    """Write to the audit trail what became of a plan, by the control plane's own rules."""
    entry = AuditEntry(
        action="platform_plan.status",
        actor=SYSTEM,
        subject_type="platform_plan",
        subject_id=plan.id,
        reason=reason,
        diff={"run": run.id, "stack": run.stack, "hash": plan.hash, "summary": plan.summary},
        result=plan.status.value,
    )
    record(session, entry)


def _is_rest_of(run: PlatformRun, document: PlanDocument, binding: RunBinding, latest: PlatformPlan) -> bool:
    """Tell whether ``document`` finishes an approved plan whose engine was cut off half-way."""
    if latest.status is not PlanStatus.APPLIED or (latest.approvals_needed == 0 and latest.continues_id is None):
        return False
    before = binding_of(run, latest)
    same = (before.spec, before.versions) == (binding.spec, binding.versions)
    return same and document.continues(document_of(latest))
