"""The outside world of the model test: an engine, nodes and a payment provider that keep their own truth.

What the engine did to the nodes is kept apart from what it remembers (its stacks), so a run that is killed in between
leaves a guest that no state knows: what recovery has to find.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from api.billing.gateway import CheckoutSession, CheckoutState
from api.jobs import Job
from automation.engine.contract import (
    EngineAction,
    EngineFailure,
    EngineJob,
    EngineOutcome,
    EngineProcess,
    EngineResult,
    EngineSecrets,
)
from automation.operations.guests import GuestFacts, NodeAccess
from components.specs import parse_guest_spec
from tests.fakes.engine import FakeEngine, FakeRun, FakeStack
from tests.fakes.guests import FakeGuests
from tests.fakes.jobs import RecordingJobQueue
from tests.fakes.payments import FakePayments
from tests.fakes.state import FakeStateStore

Accident = Callable[[FakeRun], None]
Hint = tuple[Job, tuple[str | UUID, ...]]
_KILLED = EngineResult(
    EngineOutcome.FAILED, failure=EngineFailure("engine_killed", "The engine was killed.", retryable=True)
)
_CANCELLED = EngineResult(
    EngineOutcome.CANCELLED, failure=EngineFailure("cancelled", "The operation was cancelled.", retryable=True)
)


class WorkerKilled(BaseException):
    """A worker process is gone: no handler of its own may catch this."""


class WorldGuests(FakeGuests):
    """The nodes. They refuse the next ``deaf_for`` calls."""

    def __init__(self) -> None:
        super().__init__()
        self.deaf_for = 0

    def of_vmid(self, vmid: int) -> list[GuestFacts]:
        """Return the guests with this number, on whichever node."""
        return [guest for (_, number), guest in self.guests.items() if number == vmid]

    def _reach(self, node: NodeAccess) -> None:
        self.is_reachable = self.deaf_for <= 0
        self.deaf_for = max(0, self.deaf_for - 1)
        super()._reach(node)


class WorldPayments(FakePayments):
    """The payment provider. It does not answer the next ``deaf_for`` calls.

    Attributes:
        taken: what customers have paid, in cents by order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.deaf_for = 0
        self.taken: dict[UUID, int] = {}

    def take(self, order_id: UUID, amount_cents: int | None) -> CheckoutSession:
        """Let a customer pay: the price that was asked for, or another amount."""
        paid = self.pay(order_id, amount_cents=amount_cents)
        self.taken[order_id] = paid.amount_cents
        return paid

    def session(self, order_id: UUID) -> CheckoutSession:
        """Return an order's payment page as the provider has it."""
        return self._checkouts[order_id]

    def is_open(self, order_id: UUID) -> bool:
        """Tell whether an order can be paid."""
        return order_id in self._checkouts and self.session(order_id).state is CheckoutState.OPEN

    def _reach(self) -> None:
        self.is_reachable = self.deaf_for <= 0
        self.deaf_for = max(0, self.deaf_for - 1)
        super()._reach()


class WorldBroker(RecordingJobQueue):
    """The broker: hints that wait, and a worker that may die just as it sends one.

    Attributes:
        waiting: hints that were not delivered yet.
        deadly: the next hint's sender dies, after its commit.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Hint] = []
        self.deadly = False

    def enqueue(self, job: Job, *arguments: str | UUID) -> None:
        """Keep the hint."""
        if self.deadly:
            self.deadly = False
            raise WorkerKilled
        super().enqueue(job, *arguments)
        if (job, arguments) not in self.waiting:
            self.waiting.append((job, arguments))


class WorldEngine(FakeEngine):
    """An engine that works on the nodes, and to which accidents happen.

    Attributes:
        accident: happens in the midst of the next run that changes something; it may raise ``WorkerKilled``.
        half_made: by stack, the spec of a guest that was made and never saved.
        broken_rules: what should never have happened, in sentences.
        permits: asked when a run that changes something begins; returns what is wrong with letting it.
    """

    def __init__(self, guests: WorldGuests) -> None:
        super().__init__()
        self.states = FakeStateStore(self)
        self.accident: Accident | None = None
        self.dies_at_start = False
        self.half_made: dict[str, dict[str, Any]] = {}
        self.broken_rules: list[str] = []
        self.permits: Callable[[EngineJob], list[str]] = lambda _: []
        self._guests = guests
        self._at_work: dict[str, FakeRun] = {}
        self._permitted: set[EngineProcess] = set()

    def start(self, job: EngineJob, secrets: EngineSecrets) -> FakeRun:
        """Start a run; the worker may die before it has put it on record, and the child ends with it."""
        run = super().start(job, secrets)
        if self.dies_at_start and not job.action.is_preview:
            self.dies_at_start = False
            run.result = _KILLED
            raise WorkerKilled
        return run

    def perform(self, run: FakeRun, poll: Callable[[], bool]) -> EngineResult:
        """Carry a run out, with what happens in its midst."""
        if run.job.action.is_preview and not run.is_recovery:
            return super().perform(run, poll)
        self._enter(run)
        accident, self.accident = self.accident, None
        if accident is not None:
            accident(run)
        if run.result is not None:
            return run.result  # it has ended while its worker was looking elsewhere
        if run.killed:
            return _KILLED
        if not poll():
            return _CANCELLED
        return self.finish(run)

    def finish(self, run: FakeRun) -> EngineResult:
        """Let a run do all that it was started for."""
        if self._would_make_twice(run):
            self.broken_rules.append(f"a guest of {run.job.stack} was to be made twice")
        result = super().perform(run, lambda: True)
        run.result = result
        if result.outcome is EngineOutcome.SUCCEEDED:
            if run.is_recovery:
                self._find_half_made(run.job.stack)
            else:
                self._work_on_node(run.job)
                self.states.deployments.pop(run.job.stack, None)
        return result

    def die_half_way(self, run: FakeRun) -> None:
        """Let an engine die after it has changed the node, before it could save that."""
        job, known = run.job, self.stacks.setdefault(run.job.stack, FakeStack())
        run.killed, known.locked = True, True
        if run.is_recovery:
            return
        self._work_on_node(job)
        if job.action is EngineAction.UP and known.spec is None:
            self.half_made[job.stack] = dict(job.spec)

    def heal(self) -> None:
        """Let nothing fail any more, and every state be readable."""
        self._failures.clear()
        self._unavailable = 0
        self.states.corrupt.clear()

    def _enter(self, run: FakeRun) -> None:
        other = self._at_work.get(run.job.stack)
        if other is not None and other is not run and other.alive:
            self.broken_rules.append(f"two engines were at work on {run.job.stack}")
        self._at_work[run.job.stack] = run
        if not run.is_recovery and run.identity not in self._permitted:
            self._permitted.add(run.identity)
            self.broken_rules += self.permits(run.job)

    def _would_make_twice(self, run: FakeRun) -> bool:
        stack = self.stacks.get(run.job.stack, FakeStack())
        if run.is_recovery or run.failure is not None or run.job.action is not EngineAction.UP or stack.locked:
            return False
        return stack.spec is None and bool(self._guests.of_vmid(run.job.spec["placement"]["vmid"]))

    def _find_half_made(self, stack: str) -> None:
        """Resolve an interrupted create by identity, as the real recovery does."""
        spec = self.half_made.pop(stack, None)
        if spec is not None and self._guests.of_vmid(spec["placement"]["vmid"]):
            self.stacks[stack].spec = spec

    def _work_on_node(self, job: EngineJob) -> None:
        spec = parse_guest_spec(job.spec)
        if job.action is EngineAction.DESTROY:
            self._guests.guests.pop((spec.placement.node, spec.placement.vmid), None)
        else:
            facts = GuestFacts(spec.placement.vmid, spec.hostname, is_running=spec.started, tags=frozenset(spec.tags))
            self._guests.put(spec.placement.node, facts)
