"""Whatever is done to a trail is found out: each way of tampering, as somebody would who owns the database."""

from collections.abc import Callable

import psycopg
import pytest

from api.audit.chain import FIELDS, seal
from api.audit.errors import BadAnchor
from api.audit.verify import MOST_FLAWS, Anchor, FlawKind, read_head, verify
from api.db.session import Database
from tests.fixtures.trail import append, entry, records

NUMBER = 9
Tamper = Callable[..., None]


@pytest.fixture
def trail(database: Database) -> Database:
    """Return a database with nine records after the first."""
    for number in range(1, NUMBER + 1):
        append(database, entry(f"step.{number}", diff={"number": number, "share": number / 7}))
    return database


@pytest.fixture
def tamper(database_url: str) -> Tamper:
    """Return a function that runs SQL past every guard, as only the cluster's owner can."""

    def run(statement: str, *values: object) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(statement, values)

    return run


def anchor_of(database: Database) -> Anchor:
    """Return the present head."""
    with database.transaction() as transaction:
        head = read_head(transaction.session)
    assert head is not None
    return head


def flaws(database: Database, since_head: Anchor | None = None) -> list[tuple[FlawKind, int]]:
    """Return what a verification in small batches finds."""
    report = verify(database, since_head, batch=4)
    return [(flaw.kind, flaw.seq) for flaw in report.flaws]


def test_a_trail_that_nobody_touched_is_whole(trail: Database) -> None:
    """Read back from the database, in batches, every record still fits its hash."""
    report = verify(trail, anchor_of(trail), batch=4)
    assert (report.is_whole, report.records, report.flaws) == (True, NUMBER + 1, [])


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'another'",
        "at = at + interval '1 microsecond'",
        "diff = jsonb_set(diff, '{number}', '99')",
        "diff = NULL",
        "actor_name = 'eve'",
        "result = 'succeeded'",
        "cost_after_cents = 0",
        "duration_seconds = 'NaN'",
    ],
)
def test_an_edited_record_is_found(trail: Database, tamper: Tamper, change: str) -> None:
    """Whichever column it was, and the report names the record."""
    tamper(f"UPDATE audit_records SET {change} WHERE seq = 5")  # noqa: S608 - the test's own words
    assert flaws(trail) == [(FlawKind.CHANGED, 5)]


def test_an_edited_record_that_was_hashed_anew_is_found(trail: Database, tamper: Tamper) -> None:
    """It fits itself, but the next one does not follow from it."""
    row = {name: getattr(records(trail)[4], name) for name in FIELDS} | {"reason": "another"}
    tamper("UPDATE audit_records SET reason = 'another', hash = %s WHERE seq = 5", seal(row))
    assert flaws(trail) == [(FlawKind.UNLINKED, 6)]


@pytest.mark.parametrize(("gone", "first"), [("5", 5), ("4, 5, 6", 4), ("0", 0)])
def test_removed_records_are_found(trail: Database, tamper: Tamper, gone: str, first: int) -> None:
    """From the middle, in a row, and the very first."""
    tamper(f"DELETE FROM audit_records WHERE seq IN ({gone})")  # noqa: S608 - the test's own words
    assert flaws(trail) == [(FlawKind.MISSING, first)]


def test_removed_records_whose_gap_was_closed_are_found(trail: Database, tamper: Tamper) -> None:
    """Numbers that were moved up no longer fit the hashes."""
    tamper("DELETE FROM audit_records WHERE seq = 5")
    for seq in range(6, NUMBER + 1):
        tamper("UPDATE audit_records SET seq = seq - 1 WHERE seq = %s", seq)
    found = flaws(trail)
    assert (FlawKind.UNLINKED, 5) in found
    assert (FlawKind.CHANGED, 5) in found
    assert found[-1] == (FlawKind.CUT_OFF, NUMBER)


def test_records_that_changed_places_are_found(trail: Database, tamper: Tamper) -> None:
    """The number is part of what is hashed."""
    for old, new in ((4, 40), (5, 4), (40, 5)):
        tamper("UPDATE audit_records SET seq = %s WHERE seq = %s", new, old)
    found = flaws(trail)
    assert {(FlawKind.CHANGED, 4), (FlawKind.CHANGED, 5), (FlawKind.UNLINKED, 4)} <= set(found)


def test_an_inserted_record_is_found(trail: Database, tamper: Tamper) -> None:
    """A forged record at the end is beyond the head."""
    columns = ", ".join(name for name in (*FIELDS, "hash") if name != "seq")
    source = f"SELECT 10, {columns} FROM audit_records WHERE seq = 9"  # noqa: S608 - our own names
    tamper(f"INSERT INTO audit_records (seq, {columns}) {source}")
    assert (FlawKind.HEAD, 10) in flaws(trail)


def test_a_trail_that_was_cut_short_is_found(trail: Database, tamper: Tamper) -> None:
    """The head remembers where it ended."""
    tamper("DELETE FROM audit_records WHERE seq > 6")
    assert flaws(trail) == [(FlawKind.CUT_OFF, 7)]


def test_a_trail_that_was_emptied_is_found(trail: Database, tamper: Tamper) -> None:
    """Nothing left is not the same as nothing wrong."""
    tamper("DELETE FROM audit_records")
    assert flaws(trail) == [(FlawKind.CUT_OFF, 0)]


def test_a_lost_head_is_found(trail: Database, tamper: Tamper) -> None:
    """Without it, a cut could not be told."""
    tamper("DELETE FROM audit_head")
    assert flaws(trail) == [(FlawKind.HEAD, NUMBER)]


def test_a_cut_with_the_head_set_back_is_found_by_what_was_noted_elsewhere(trail: Database, tamper: Tamper) -> None:
    """Within the database all fits; the note outside of it does not."""
    noted = anchor_of(trail)
    tamper("DELETE FROM audit_records WHERE seq > 6")
    tamper("UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit_records WHERE seq = 6)")
    assert flaws(trail) == []
    assert flaws(trail, noted) == [(FlawKind.ANCHOR, NUMBER)]


def test_a_trail_that_was_written_anew_is_found_by_what_was_noted_elsewhere(trail: Database, tamper: Tamper) -> None:
    """Every hash is right, and still it is not the trail that was."""
    noted = anchor_of(trail)
    tamper("DELETE FROM audit_records WHERE seq > 8")
    tamper("UPDATE audit_head SET seq = 8, hash = (SELECT hash FROM audit_records WHERE seq = 8)")
    append(trail, entry("step.9", reason="another"))
    assert flaws(trail) == []
    assert flaws(trail, noted) == [(FlawKind.ANCHOR, NUMBER)]


def test_a_trail_that_has_grown_still_holds_what_was_noted(trail: Database) -> None:
    """A note of yesterday is good for ever."""
    noted = anchor_of(trail)
    append(trail, entry("step.10"))
    assert flaws(trail, noted) == []


def test_a_long_list_of_flaws_is_cut_but_counted(database: Database, tamper: Tamper) -> None:
    """A report stays readable when everything was overwritten."""
    append(database, *(entry(f"step.{number}") for number in range(MOST_FLAWS + 20)))
    tamper("UPDATE audit_records SET reason = 'another' WHERE seq > 0")
    report = verify(database)
    assert (len(report.flaws), report.count) == (MOST_FLAWS, MOST_FLAWS + 20)


@pytest.mark.parametrize("text", ["", "5", "5:abc", f"-1:{'0' * 64}", f"5:{'G' * 64}", f"5:{'0' * 64}:"])
def test_a_note_that_is_none_is_refused(text: str) -> None:
    """With the form that is wanted."""
    with pytest.raises(BadAnchor, match="NUMBER:HASH"):
        Anchor.parse(text)
