"""All invariants at once, on a system that may be at work."""

from collections.abc import Iterator
from dataclasses import dataclass

from api.db.session import Database
from automation.invariants import outside, rows
from automation.invariants.world import Outside, StateCheck, Violation, World

_MARGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class InvariantChecker:
    """Checks one system.

    Attributes:
        outside: looks at nodes, records, money and engines; None leaves out what needs them.
        state: checks the engine's state; None leaves I8 out.
        margin_seconds: how far past its deadline an operation may be: a sweep ends it.
    """

    database: Database
    outside: Outside | None = None
    state: StateCheck | None = None
    margin_seconds: float = _MARGIN_SECONDS

    def check(self) -> list[Violation]:
        """Return what is broken, in a steady order; blocks for a look at every node.

        Rows and world cannot be read at one instant. What looks broken is looked at again, and counts only if it is
        still broken: an operation that came in between passes.
        """
        first = set(self._look())
        return sorted(first.intersection(self._look()), key=str) if first else []

    def _look(self) -> Iterator[Violation]:
        world = None if self.outside is None else self.outside.look()
        with self.database.transaction() as transaction:
            session = transaction.session
            yield from rows.paid_ends_well(session)
            yield from rows.ledger_adds_up(session)
            yield from rows.nothing_is_shared(session)
            yield from rows.capacity_adds_up(session)
            yield from rows.machines_are_whose_they_are(session)
            yield from rows.one_operation_at_a_time(session)
            yield from rows.work_ends(session, self.margin_seconds)
            yield from rows.everything_is_on_record(session)
            if world is not None:
                yield from outside.money_agrees(session, world)
                known = outside.known_workloads(session)
        if world is not None:
            yield from _of_world(world, known)
        if self.state is not None:
            yield from (Violation("I8", stack, what) for stack, what in self.state())


def _of_world(world: World, known: tuple[outside.Known, ...]) -> Iterator[Violation]:
    yield from outside.one_resource_each(world)
    yield from outside.nothing_without_its_other_half(world, known)
    yield from outside.nothing_is_on_two_machines(world)
    yield from outside.one_engine_at_a_time(world)
