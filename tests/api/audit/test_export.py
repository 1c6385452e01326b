"""Exports in batches: every record once, in order, however they are cut."""

import json
from datetime import UTC, datetime

import pytest

from api.audit.chain import seal
from api.audit.export import Selection, export
from api.db.session import Database
from api.errors import InvalidInput
from tests.fixtures.trail import append, entry, records


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
def test_every_record_is_exported_once_whatever_the_batch(database: Database, batch: int) -> None:
    """The first one included."""
    append(database, *(entry(f"step.{number}") for number in range(4)))
    found = [json.loads(line) for line in export(database, Selection(), batch=batch)]
    assert [one["seq"] for one in found] == [0, 1, 2, 3, 4]


def test_an_exported_line_can_be_checked_without_the_database(database: Database) -> None:
    """It holds all that its hash covers."""
    append(database, entry(diff={"share": 1 / 3, "big": 1e20}, duration_seconds=2))
    *_, line = export(database, Selection())
    document = json.loads(line)
    assert seal(document) == document["hash"]


def test_a_span_holds_its_beginning_and_not_its_end(database: Database) -> None:
    """So that exports of day after day have each record once."""
    append(database, entry("one.do"))
    append(database, entry("two.do"))
    first, second = records(database)
    until = [json.loads(line)["action"] for line in export(database, Selection(since=first.at, until=second.at))]
    since = [json.loads(line)["action"] for line in export(database, Selection(since=second.at))]
    assert (until, since) == (["one.do"], ["two.do"])


def test_a_moment_without_a_zone_is_refused() -> None:
    """It would mean another moment on another machine."""
    with pytest.raises(InvalidInput, match="'since' needs a zone"):
        Selection(since=datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None))
