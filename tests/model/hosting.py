"""The real services on a real PostgreSQL in a made-up world, with a clock that can be put forward."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import DateTime, event, func, select, text, update
from uuid_utils.compat import uuid7

from api.auth.caller import Principal, Via
from api.auth.models import Role
from api.billing.models import Checkout
from api.db.base import Base
from api.db.session import Database
from api.errors import LeaseLost, PaymentsUnavailable
from api.jobs import Job
from api.operations.models import Operation, OperationStatus
from api.plans.approvals import ApprovalService
from api.plans.models import Approval, Plan, PlanStatus, Verdict
from api.plans.versions import announce
from automation.engine.contract import EngineJob
from automation.operations.runner import OperationRunner
from automation.services import Engines, WorkerServices, build_services
from automation.tasks.registry import TASKS
from tests.fakes.judge import FakeJudge
from tests.fixtures.operations import Desk
from tests.fixtures.runner import GuestsOfEngine, RunnerRig, worker_settings
from tests.fixtures.shop import LIFETIME_SECONDS, Shop
from tests.model.world import WorkerKilled, WorldBroker, WorldEngine, WorldGuests, WorldPayments

_AGEING = ("operations", "plans", "checkouts", "refunds", "stripe_events", "addresses")
"""Tables whose times decide anything."""


@dataclass
class Hosting:
    """Everything that one life of the model test runs on.

    Attributes:
        events: the provider's events that have not arrived yet, as type and subject.
    """

    shop: Shop
    work_root: Path
    judge: FakeJudge = field(default_factory=FakeJudge)
    guests: WorldGuests = field(default_factory=WorldGuests)
    payments: WorldPayments = field(default_factory=WorldPayments)
    broker: WorldBroker = field(default_factory=WorldBroker)
    versions: dict[str, str] = field(default_factory=lambda: {"program": "1"})

    def __post_init__(self) -> None:
        """Put the world's parts together and stock the shop."""
        self.engine = WorldEngine(self.guests)
        self.engine.permits = self._objections
        self.shop.payments, self.shop.jobs = self.payments, self.broker
        self.shop.stock()
        self.desk = Desk(self.shop)
        self.customer = self.shop.customer()
        self.operators = [self._operator(), self._operator()]
        self.commits = CommitCounter(self.database)
        address = self.database.engine.url.render_as_string(hide_password=False)
        settings = worker_settings(self.work_root, DATABASE_URL=address, state_database_url=address)
        states = self.engine.states
        guests = GuestsOfEngine(self.engine)
        rig = RunnerRig(
            self.desk, self.engine, guests, settings, states=states, judge=self.judge, versions=self.versions
        )
        self._runner = replace(rig.runner(), guests=self.guests)
        self.approvals = ApprovalService(self.database, self.broker, states, LIFETIME_SECONDS)
        self.services: WorkerServices = replace(
            build_services(settings, Engines(self.engine, self.engine), self.broker, self.versions),
            database=self.database,
            billing=self.shop.billing,
            operations=self._runner,
            approvals=self.approvals,
        )

    @property
    def database(self) -> Database:
        """The application's."""
        return self.shop.database

    def worker(self, owner: str) -> OperationRunner:
        """Return another worker's runner."""
        return replace(self._runner, owner=owner)

    def do(self, job: Job, *arguments: str | UUID) -> None:
        """Carry a job out as a worker does; it may die over it, or meet a provider that does not answer."""
        try:
            TASKS[job](self.services, *[str(argument) for argument in arguments])
        except (WorkerKilled, PaymentsUnavailable, LeaseLost):
            pass
        finally:
            self.calm_down()

    def calm_down(self) -> None:
        """Let no accident that was prepared, and did not happen, happen later."""
        self.engine.accident, self.engine.dies_at_start, self.broker.deadly = None, False, False
        self.commits.disarm()

    def forward(self, time: timedelta) -> list[UUID]:
        """Put the clock forward, by putting every time in the rows back; returns orders whose page has closed."""
        statements = [
            f"UPDATE {name} SET " + ", ".join(f"{column} = {column} - :time" for column in _times(name))  # noqa: S608 - names from our own tables
            for name in _AGEING
        ]
        with self.database.transaction() as transaction:
            for statement in statements:
                transaction.session.execute(text(statement), {"time": time})
            over = list(transaction.session.scalars(select(Checkout.order_id).where(Checkout.expires_at <= func.now())))
        closed = [order_id for order_id in over if self.payments.is_open(order_id)]
        for order_id in closed:
            self.payments.expire(order_id)
        return closed

    def upgrade(self) -> None:
        """Install a newer program on the workers."""
        self.versions["program"] = str(int(self.versions["program"]) + 1)
        self.shop.change(lambda session: announce(session, self.versions))

    def waiting_plans(self) -> list[Plan]:
        """Return the plans that wait for a person, the oldest first."""
        return self.shop.change(
            lambda session: list(
                session.scalars(select(Plan).where(Plan.status == PlanStatus.CURRENT).order_by(Plan.id))
            )
        )

    def tamper(self, plan: Plan) -> None:
        """Edit a stored plan in the database, as nobody should."""
        self.shop.change(
            lambda session: session.execute(update(Plan).where(Plan.id == plan.id).values(start_digest="edited"))
        )

    def _operator(self) -> Principal:
        return Principal(
            self.shop.customer(), "operator@example.com", Role.OPERATOR, frozenset(), Via.SESSION, uuid7(), None
        )

    def _objections(self, job: EngineJob) -> list[str]:
        """Say what is wrong with letting an engine loose now: no lease, no plan, too few approvals, another state."""
        found = []
        with self.database.transaction() as transaction:
            session = transaction.session
            operation = session.get_one(Operation, UUID(job.operation_id))
            plan = session.scalars(
                select(Plan).where(Plan.operation_id == operation.id).order_by(Plan.id.desc()).limit(1)
            ).one_or_none()
            if (operation.fence, operation.status) != (job.fence, OperationStatus.RUNNING):
                found.append(f"an engine works on {job.stack} without its operation's lease")
            if plan is None or plan.status is not PlanStatus.APPLIED:
                return [*found, f"an engine works on {job.stack} without a plan"]
            approved = session.scalars(
                select(func.count(func.distinct(Approval.user_id))).where(
                    Approval.plan_id == plan.id, Approval.verdict == Verdict.APPROVE
                )
            ).one()
        if approved < plan.approvals_needed:
            found.append(f"a plan of {job.stack} was applied with {approved} of {plan.approvals_needed} approvals")
        if plan.start_digest != self.engine.states.digest(job.stack):
            found.append(f"a plan of {job.stack} was applied to another state than it was made for")
        return found


class CommitCounter:
    """Kills the worker as it is about to commit for the n-th time."""

    def __init__(self, database: Database) -> None:
        self._left = 0
        event.listen(database.engine, "commit", self._count)

    def arm(self, commits: int) -> None:
        """Let the ``commits``-th commit from now on be the worker's last act, which fails."""
        self._left = commits

    def disarm(self) -> None:
        """Let all go through."""
        self._left = 0

    def _count(self, _connection: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise WorkerKilled


@contextmanager
def a_hosting(database: Database, work_root: Path, empty: Callable[[], None]) -> Iterator[Hosting]:
    """Open for business on an empty database, and leave it empty."""
    hosting = Hosting(Shop(database), work_root)
    try:
        yield hosting
    finally:
        hosting.calm_down()
        empty()


def _times(table: str) -> list[str]:
    """Return the columns of a table that hold a time."""
    return [column.name for column in Base.metadata.tables[table].columns if isinstance(column.type, DateTime)]
