"""The life of orders as a state machine: whatever customers, operators, workers, accidents and the clock do."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.errors import Conflict, Forbidden, IllegalTransition, PaymentsUnavailable
from api.jobs import Job
from api.operations.cause import Cause
from api.operations.models import ACTIVE, Operation
from api.operations.stopping import OperationStopper
from api.plans.judgement import Judgement
from tests.fixtures.shop import LIFETIME_SECONDS
from tests.model.hosting import Hosting
from tests.model.invariants import violations
from tests.model.mishaps import HARMLESS, Mishap, prepare
from tests.model.settling import settle

_PRODUCTS: dict[str, dict[str, Any]] = {
    "cloud": {"product": "cloud-vm", "size": "small", "template": "debian-12", "ssh_keys": ["laptop"]},
    "game": {"product": "game-server", "size": "small", "template": "minecraft-java", "ssh_keys": []},
    "bot": {"product": "bot", "size": "nano", "template": "python-bot", "ssh_keys": []},
}
_MOST_ORDERS = 4
_INDEX = st.integers(0, 7)
_COMMIT = st.sampled_from([0] * 8 + list(range(1, 9)))
"""At which commit from now on the worker dies; 0 lets it live."""
_RARELY = st.sampled_from([False, False, True])
_SHORT, _LONGER = [timedelta(seconds=40)] * 8, [timedelta(minutes=10), timedelta(hours=2), timedelta(days=2)]
_A_DAY = timedelta(days=1)


@dataclass
class Known:
    """What the model knows of an order.

    Attributes:
        paid: the customer has paid, in time.
        is_over: the customer has cancelled, or the money went back: in the end nothing may be left.
        started: how the power switch stands.
    """

    paid: bool = False
    paid_right: bool = True
    is_over: bool = False
    started: bool = True


class LifeOfOrders(RuleBasedStateMachine):
    """Orders, and everything that can happen to them."""

    @staticmethod
    def open_hosting(stack: ExitStack) -> Hosting:
        """Return an empty world that ends with ``stack``; the test knows how."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.hosting = type(self).open_hosting(self._stack)
        self.orders: dict[UUID, Known] = {}
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.is_calm = True
        self.has_asked = False
        self._numbers: Iterator[int] = iter(range(1, 1_000_000))

    # --- customers and their money

    @initialize(product=st.sampled_from(sorted(_PRODUCTS)), is_delivered=st.booleans())
    def begin(self, product: str, *, is_delivered: bool) -> None:
        """Begin with workers whose versions are on record, and an order that is paid or delivered already."""
        self.hosting.upgrade()
        self.buy(product)
        if is_delivered:
            self.work_on()

    @precondition(lambda self: len(self.orders) < _MOST_ORDERS)
    @rule(product=st.sampled_from(sorted(_PRODUCTS)))
    def order(self, product: str) -> None:
        """Place an order."""
        try:
            order_id = self.hosting.shop.place(self.hosting.customer, **_PRODUCTS[product])
        except PaymentsUnavailable:
            return  # nobody got a page to pay on: it has to expire
        self.orders[order_id] = Known()

    @precondition(lambda self: len(self.orders) < _MOST_ORDERS)
    @rule(product=st.sampled_from(sorted(_PRODUCTS)))
    def buy(self, product: str) -> None:
        """Place an order, pay it and come back from the payment page, without a pause."""
        self.order(product)
        newest = len(self.orders) - 1
        self.pay(newest, is_right=True)
        self.land(newest)

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX, is_right=st.sampled_from([True, True, True, False]))
    def pay(self, index: int, *, is_right: bool) -> None:
        """Pay on the provider's page; the amount is wrong where somebody has tampered with it."""
        order_id, known = self._pick(index)
        if self.hosting.payments.is_open(order_id):
            page = self.hosting.payments.take(order_id, None if is_right else 1)
            known.paid, known.paid_right = True, is_right
            self._emit("checkout.session.completed", {"id": page.id})

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX, is_sure=_RARELY)
    def refund_at_provider(self, index: int, *, is_sure: bool) -> None:
        """Pay a customer back in the provider's own pages."""
        order_id, known = self._pick(index)
        taken = self.hosting.payments.taken.get(order_id)
        if not is_sure or taken is None or order_id in self.hosting.payments.refunds:
            return
        self.hosting.payments.refunds[order_id] = taken
        known.is_over = True
        charge = {"payment_intent": f"pi_{order_id.hex}", "amount_refunded": taken, "refunded": True}
        self._emit("charge.refunded", {**charge, "metadata": {"order_id": str(order_id)}})

    @precondition(lambda self: self.events)
    @rule(index=_INDEX, copies=st.integers(1, 2), is_kept=st.booleans())
    def hear(self, index: int, copies: int, *, is_kept: bool) -> None:
        """Receive one of the events that are on their way, in any order, once or twice, now and perhaps again later."""
        number = index % len(self.events)
        identifier, kind, subject = self.events[number] if is_kept else self.events.pop(number)
        for _ in range(copies):
            self.hosting.shop.receive(kind, subject, identifier)
        self.hosting.broker.enqueue(Job.APPLY_STRIPE_EVENT, identifier)

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX)
    def land(self, index: int) -> None:
        """Come back from the payment page, before or after the webhook."""
        order_id, _ = self._pick(index)
        self.attempt(lambda: self.hosting.shop.billing.check_order(order_id))

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX, started=st.booleans())
    def power(self, index: int, *, started: bool) -> None:
        """Start or stop."""
        self.press(self._pick(index)[0], started=started)

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX)
    def reboot(self, index: int) -> None:
        """Restart."""
        order_id, _ = self._pick(index)
        self.attempt(lambda: self.hosting.desk.reboot(order_id))

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX, is_sure=_RARELY)
    def cancel(self, index: int, *, is_sure: bool) -> None:
        """Cancel a workload, whatever state it is in; not at every opportunity, or nothing would live for long."""
        if is_sure:
            self.cancel_order(self._pick(index)[0])

    # --- workers, and what happens to them

    @precondition(lambda self: self.hosting.broker.waiting)
    @rule(index=_INDEX, is_kept=st.booleans(), commit=_COMMIT)
    def work(self, index: int, commit: int, *, is_kept: bool) -> None:
        """Have a worker take one of the hints that wait; the hint may come again, and the worker may not survive."""
        waiting = self.hosting.broker.waiting
        number = index % len(waiting)
        job, arguments = waiting[number] if is_kept else waiting.pop(number)
        self.is_calm = self.is_calm and not commit
        self.hosting.commits.arm(commit)
        self.hosting.do(job, *arguments)

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX, mishap=st.sampled_from(Mishap), commit=_COMMIT)
    def have_accident(self, index: int, mishap: Mishap, commit: int) -> None:
        """Have something happen while a worker carries an operation out; where there is none, ask for one first."""
        order_id, known = self._pick(index)
        operations = self.hosting.shop.operations(order_id)
        if operations and operations[-1].status not in ACTIVE:
            self.press(order_id, started=not known.started)
            operations = self.hosting.shop.operations(order_id)
        if operations:
            self.is_calm = self.is_calm and mishap in HARMLESS and not commit
            prepare(self, mishap)
            self.hosting.commits.arm(commit)
            self.hosting.do(Job.RUN_OPERATION, operations[-1].id)

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX, mishap=st.sampled_from([Mishap.BOTH_DIE, Mishap.DIES_AT_WORK, Mishap.DIES_AFTER_ENGINE]))
    def have_accident_and_recover(self, index: int, mishap: Mishap) -> None:
        """Have a worker die, and let the next one find what it left."""
        self.have_accident(index, mishap, 0)
        self.work_on()

    @rule()
    def work_on(self) -> None:
        """Have workers take all that waits, retries that are due included, and survive."""
        self.forward_by(timedelta(seconds=40))
        self.hosting.do(Job.SWEEP)
        waiting, self.hosting.broker.waiting = self.hosting.broker.waiting, []
        for job, arguments in waiting:
            self.hosting.do(job, *arguments)

    @rule(job=st.sampled_from([Job.SWEEP, Job.SWEEP, Job.RECONCILE_PAYMENTS, Job.PAY_REFUNDS, Job.END_QUARANTINE]))
    def tick(self, job: Job) -> None:
        """Do what the clock of the workers makes them do."""
        self.hosting.do(job)

    @precondition(lambda self: self.hosting.broker.waiting)
    @rule()
    def lose_redis(self) -> None:
        """Lose every hint."""
        self.hosting.broker.waiting.clear()

    @rule(time=st.sampled_from(_SHORT + _LONGER))
    def forward(self, time: timedelta) -> None:
        """Let time pass: leases, retries, deadlines, plans, payment pages and quarantine run out."""
        if time > timedelta(minutes=10):
            self.is_calm = False
        self.forward_by(time)

    @rule()
    def upgrade(self) -> None:
        """Install a newer program."""
        self.hosting.upgrade()

    # --- faults of the world

    @rule(times=st.integers(1, 4), where=st.sampled_from(["engine", "fatal", "host", "node", "payments"]))
    def trouble(self, times: int, where: str) -> None:
        """Let the outside world fail the next few times that it is asked."""
        self.is_calm = self.is_calm and where == "payments"
        engine = self.hosting.engine
        if where == "host":
            engine.refuse_next(times)
        elif where == "node":
            self.hosting.guests.deaf_for = times
        elif where == "payments":
            self.hosting.payments.deaf_for = times
        else:
            for _ in range(times if where == "engine" else 1):
                engine.fail_next("proxmox_error", retryable=where == "engine")

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX, how=st.sampled_from(["edit", "corrupt", "repair"]))
    def touch_state(self, index: int, how: str) -> None:
        """Edit, corrupt or repair the engine's state by hand."""
        stack = self.hosting.shop.workload(self._pick(index)[0]).stack
        states = self.hosting.engine.states
        if how == "repair":
            states.corrupt.discard(stack)
        elif how == "corrupt":
            self.is_calm = False
            states.corrupt.add(stack)
        elif stack not in states.corrupt and (states.deployment(stack) or {}).get("resources"):
            states.edit(stack, edited=next(self._numbers))

    # --- people who decide

    @rule(people=st.integers(0, 2), refuses=st.sampled_from([False, False, False, True]))
    def change_policy(self, people: int, *, refuses: bool) -> None:
        """Ask for so many approvals from now on, or refuse everything."""
        self.is_calm = self.is_calm and not people and not refuses
        self.has_asked = self.has_asked or people > 0
        reasons = ("somebody should look at it",) if people else ()
        refusal = "it is not allowed" if refuses else None
        self.hosting.judge.judgement = Judgement(people=people, reasons=reasons, refusal=refusal, lifetime=_A_DAY)

    @precondition(lambda self: self.has_asked)
    @rule(index=_INDEX, person=st.integers(0, 1), how=st.sampled_from(["approve", "approve", "reject", "tamper"]))
    def decide(self, index: int, person: int, how: str) -> None:
        """Approve or reject a plan, or edit it in the database and approve that."""
        plans = self.hosting.waiting_plans()
        if not plans:
            return
        plan, operator = plans[index % len(plans)], self.hosting.operators[person]
        if how == "tamper":
            self.hosting.tamper(plan)
        if how == "reject":
            self.attempt(lambda: self.hosting.approvals.reject(plan.id, operator, "no"))
        else:
            self.attempt(lambda: self.hosting.approvals.approve(plan.id, operator, plan.hash, "yes"))

    @precondition(lambda self: self.orders)
    @rule(index=_INDEX)
    def cancel_operation(self, index: int) -> None:
        """Cancel the operation that is under way."""
        self.is_calm = False
        operations = self.hosting.shop.operations(self._pick(index)[0])
        if operations:
            self.stop(operations[-1])

    # --- what must hold

    @invariant()
    def everything_holds(self) -> None:
        """See ``tests.model.invariants``."""
        assert violations(self.hosting) == []

    def teardown(self) -> None:
        """Heal the world, let everything settle, and see that each order ended as it should."""
        try:
            if sys.exc_info()[0] is None:
                settle(self)
        finally:
            self._stack.close()

    # --- hands

    def forward_by(self, time: timedelta) -> None:
        """Let time pass; the provider tells of each page that it closes."""
        for order_id in self.hosting.forward(time):
            self._emit("checkout.session.expired", {"id": self.hosting.payments.session(order_id).id})

    def cancel_order(self, order_id: UUID) -> None:
        """Cancel as the owner does; what is not paid cannot be cancelled."""
        if self.attempt(lambda: self.hosting.desk.cancel(order_id)):
            self.orders[order_id].is_over = True

    def press(self, order_id: UUID, *, started: bool) -> None:
        """Press the power button; not every state allows it."""
        if self.attempt(lambda: self.hosting.desk.power(order_id, started=started)):
            self.orders[order_id].started = started

    def stop(self, operation: Operation) -> None:
        """Cancel an operation as an operator does."""
        cause = Cause("it takes too long", by=self.hosting.operators[0].user_id)
        self.attempt(
            lambda: self.hosting.shop.change(
                lambda session: OperationStopper(session, LIFETIME_SECONDS).cancel(operation.id, cause)
            )
        )

    def attempt(self, action: Callable[[], object]) -> bool:
        """Do what may be refused with a clear answer; False if it was. An illegal transition is never an answer."""
        try:
            action()
        except IllegalTransition:
            raise
        except (Conflict, Forbidden, PaymentsUnavailable):
            return False
        return True

    def _pick(self, index: int) -> tuple[UUID, Known]:
        return list(self.orders.items())[index % len(self.orders)]

    def _emit(self, kind: str, subject: dict[str, Any]) -> None:
        self.events.append((f"evt_model_{next(self._numbers)}", kind, subject))
