"""Guards, how each is taken away, and the test that must notice.

Mutants of one batch are put into one copy of the tree together: their guards and their tests have nothing to do with
each other.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard that is taken away.

    Attributes:
        invariant: what it guards.
        old: the guard's source; must occur exactly once in ``path``.
        new: what takes its place.
        test: must fail for the lack of it.
    """

    batch: int
    guard: str
    invariant: str
    path: str
    old: str
    new: str
    test: str

    @property
    def name(self) -> str:
        """What the mutant is called in reports."""
        return f"{self.invariant}: {self.guard}"


_WHERE_ACTIVE = "        postgresql_where=sa.text(\"status IN ('queued', 'awaiting_approval', 'running')\"),"
_APPROVALS = "tests/api/plans/test_approvals.py"

MUTANTS = (
    Mutant(
        1,
        "the sweep finds what is due by its rows",
        "I1",
        "automation/tasks/operations.py",
        "for operation_id in operations:",
        "for operation_id in operations[:0]:",
        "tests/automation/tasks/test_operations.py::test_a_sweep_finds_all_due_rows_when_every_hint_was_lost",
    ),
    Mutant(
        1,
        "what was not made by us is not adopted",
        "I2",
        "automation/engine/identity.py",
        "        return Presence.UNFINISHED\n    return Presence.FOREIGN",
        "        return Presence.UNFINISHED\n    return Presence.OURS",
        "tests/automation/engine/test_identity.py::test_a_guest_is_ours_by_its_tags_and_nothing_less",
    ),
    Mutant(
        2,
        "a result counts under its own fence only",
        "I2",
        "api/operations/leases.py",
        "return Operation.fence == fence,",
        "return Operation.fence >= fence,",
        "tests/api/operations/test_leases.py::test_a_zombies_result_is_dropped_whole",
    ),
    Mutant(
        1,
        "what was held is let go once the node has confirmed the absence",
        "I3",
        "automation/operations/verification.py",
        'return None if facts is None else Mismatch("guest_still_there", "The guest is still on its node.")',
        "return None",
        "tests/automation/operations/test_runner.py::TestDestroy::test_what_the_node_still_has_is_not_let_go",
    ),
    Mutant(
        2,
        "another amount than the price is paid back",
        "I4",
        "api/orders/fulfilment.py",
        "if (checkout.amount_cents, checkout.currency) != (order.price_cents, order.currency):",
        "if checkout.amount_cents == 0:",
        "tests/api/orders/test_fulfilment.py::test_another_amount_than_the_price_is_owed_back",
    ),
    Mutant(
        1,
        "a free address is locked before it is given away",
        "I5",
        "api/ipam/service.py",
        "            .with_for_update(of=Address, skip_locked=True)\n",
        "",
        "tests/api/ipam/test_service.py::test_simultaneous_holders_get_different_addresses",
    ),
    Mutant(
        2,
        "the database refuses to sell more memory than there is",
        "I6",
        "api/db/migrations/versions/0001_the_first_schema.py",
        '"used_memory_mib BETWEEN 0 AND total_memory_mib"',
        '"used_memory_mib >= 0"',
        "tests/api/inventory/test_capacity.py::test_the_database_itself_refuses_to_oversell",
    ),
    Mutant(
        1,
        "a workload has one active operation by a unique index",
        "I7",
        "api/db/migrations/versions/0002_plans.py",
        f"unique=True,\n{_WHERE_ACTIVE}",
        f"unique=False,\n{_WHERE_ACTIVE}",
        "tests/api/operations/test_scheduling.py::test_the_database_itself_refuses_a_second_active_operation",
    ),
    Mutant(
        3,
        "a lease that has not lapsed is not given to another",
        "I7",
        "api/operations/leases.py",
        "and_(Operation.status == OperationStatus.RUNNING, Operation.lease_until < func.now())",
        "Operation.status == OperationStatus.RUNNING",
        "tests/api/operations/test_leases.py::test_a_held_lease_is_not_given_again",
    ),
    Mutant(
        1,
        "a plan is bound to the state that it was made from",
        "I8",
        "api/plans/binding.py",
        "if self.start_digest != now.start_digest:",
        "if not isinstance(self, Binding):",
        f"{_APPROVALS}::TestMoved::test_a_state_edited_by_hand_before_the_approval",
    ),
    Mutant(
        1,
        "a plan is bound to its hash",
        "I8",
        "api/plans/store.py",
        "if binding_of(plan).hash(document_of(plan)) != plan.hash:",
        "if not plan.hash:",
        f"{_APPROVALS}::TestTampered::test_an_edited_plan_is_refused_and_made_anew",
    ),
    Mutant(
        2,
        "words of people are counted when a plan is applied",
        "I8",
        "api/plans/store.py",
        "elif plan.approvals_needed > self.approvals(plan, operation.requested_by):",
        "elif plan.approvals_needed > 99:",
        f"{_APPROVALS}::TestTampered::test_a_plan_that_was_declared_approved_in_the_database",
    ),
    Mutant(
        3,
        "nothing is applied without a stored plan",
        "I8",
        "automation/operations/runner.py",
        "found = self.plans.admit(lease, attempt, job, secrets, self._leases)",
        "found = PlanDocument(steps=())",
        f"{_APPROVALS}::TestApprove::test_an_approved_plan_is_applied",
    ),
    Mutant(
        2,
        "what waits beyond its deadline is ended",
        "I12",
        "api/operations/stopping.py",
        "if operation.status not in _WAITING or not late:",
        "if operation.status not in _WAITING or late:",
        "tests/api/operations/test_stopping.py::TestDeadline::test_what_waits_beyond_its_deadline_is_given_up",
    ),
)
