"""An operation's log: written in order, read on from anywhere."""

from uuid import UUID

import pytest

from api.operations.events import LogLine, append, read_after
from tests.fixtures.operations import Desk


@pytest.fixture
def operation_id(desk: Desk) -> UUID:
    """Return an operation whose worker has logged five lines in two goes."""
    lease = desk.begun(desk.shop.place_paid())
    desk.log(lease, "one", "two")
    desk.log(lease, "three")
    return lease.operation_id


def _messages(desk: Desk, operation_id: UUID, after: int, limit: int = 200) -> list[str]:
    return [
        event.message for event in desk.shop.change(lambda session: read_after(session, operation_id, after, limit))
    ]


def test_lines_come_in_the_order_in_which_they_were_written(desk: Desk, operation_id: UUID) -> None:
    """Their numbers grow with time, which a reader relies on."""
    assert _messages(desk, operation_id, 0)[-3:] == ["one", "two", "three"]
    numbers = [event.id for event in desk.lines(operation_id)]
    assert numbers == sorted(numbers)


def test_a_reader_goes_on_after_the_last_line_it_saw(desk: Desk, operation_id: UUID) -> None:
    """Nothing twice, nothing left out, however small the helpings."""
    seen, messages = 0, []
    while events := desk.shop.change(lambda session: read_after(session, operation_id, seen, limit=1)):  # noqa: B023 - called at once
        seen = events[-1].id
        messages += [event.message for event in events]
    assert messages == [event.message for event in desk.lines(operation_id)]
    assert _messages(desk, operation_id, seen) == []


def test_a_log_holds_its_own_operations_lines_only(desk: Desk, operation_id: UUID) -> None:
    """Two operations that write at the same time do not mix."""
    other = desk.begun(desk.shop.place_paid())
    desk.log(other, "theirs")
    assert "theirs" not in _messages(desk, operation_id, 0)


def test_nothing_to_write_writes_nothing(desk: Desk, operation_id: UUID) -> None:
    """An empty helping is no error."""
    before = len(desk.lines(operation_id))
    desk.shop.change(lambda session: append(session, operation_id, 1, []))
    assert len(desk.lines(operation_id)) == before


def test_details_for_machines_are_kept(desk: Desk, operation_id: UUID) -> None:
    """Besides the sentence a line holds what a program can use."""
    line = LogLine("resource", "Created a record.", {"op": "create", "seconds": 0.4})
    desk.shop.change(lambda session: append(session, operation_id, 2, [line]))
    last = desk.lines(operation_id)[-1]
    assert (last.attempt, last.kind, last.data) == (2, "resource", {"op": "create", "seconds": 0.4})
