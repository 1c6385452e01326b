"""The trail's writer on a real database: what commits is recorded, once, in one chain; what does not, is not."""

from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.audit.chain import seal
from api.audit.errors import TrailUnusable
from api.audit.trail import Actor, record
from api.audit.verify import read_head, verify
from api.auth.accounts import Accounts
from api.auth.models import Role
from api.db.session import Database
from tests.factories.customers import add_customer
from tests.fixtures.trail import actions, append, entry, records
from tests.races import at_once


def test_entries_become_records_at_the_commit_in_their_order(database: Database) -> None:
    """They are chained to what was there before, and the head is the last of them."""
    append(database, entry("first.do"), entry("second.do"))
    append(database, entry("third.do"))
    found = records(database)
    assert [(one.seq, one.action) for one in found] == [(1, "first.do"), (2, "second.do"), (3, "third.do")]
    assert [one.prev_hash for one in found[1:]] == [one.hash for one in found[:-1]]
    assert all(one.hash == seal({**vars(one)}) for one in found)
    with database.transaction() as transaction:
        head = read_head(transaction.session)
    assert head is not None
    assert (head.seq, head.hash) == (3, found[-1].hash)


def test_a_record_holds_all_that_was_said(database: Database) -> None:
    """By the database's clock, in the units of the entry."""
    diff = {"cores": {"before": 1, "after": 2.0}, "api_token": "canary"}
    said = entry(reason="größer", diff=diff, cost_before_cents=100, cost_after_cents=250, duration_seconds=1.23456)
    append(database, said)
    (found,) = records(database)
    assert (found.reason, found.cost_before_cents, found.cost_after_cents) == ("größer", 100, 250)
    assert found.diff == {"cores": {"before": 1, "after": 2}, "api_token": "[secret]"}
    assert (found.duration_seconds, found.result, found.plan_id) == (1.235, None, None)
    with database.transaction() as transaction:
        age = transaction.session.execute(text("SELECT clock_timestamp() - max(at) FROM audit_records")).scalar_one()
    assert 0 <= age.total_seconds() < 60


def test_staff_are_named_and_customers_are_not(database: Database) -> None:
    """The trail can never forget a name, and a customer may ask us to."""
    customer = add_customer(database)
    with database.transaction() as transaction:
        operator = Accounts(transaction.session).add("olga@example.com", "no hash", Role.OPERATOR)
    append(database, *(entry("who.did", actor=Actor.person(who)) for who in (customer, operator.id)))
    found = [(one.actor_id, one.actor_name) for one in records(database) if one.action == "who.did"]
    assert found == [(customer, "customer"), (operator.id, "olga@example.com")]


def test_what_is_rolled_back_is_not_recorded(database: Database) -> None:
    """The trail tells what happened, and nothing did."""

    def fail() -> None:
        with database.transaction() as transaction:
            record(transaction.session, entry())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert actions(database) == []


def test_a_savepoint_takes_its_own_entries_with_it_and_no_others(database: Database) -> None:
    """Those of inner savepoints too, even if they had been released."""

    def undone(session: Session) -> None:
        with session.begin_nested():
            record(session, entry("undone.outer"))
            with session.begin_nested():
                record(session, entry("undone.inner"))
            raise ZeroDivisionError

    with database.transaction() as transaction:
        record(transaction.session, entry("kept.before"))
        with pytest.raises(ZeroDivisionError):
            undone(transaction.session)
        with transaction.session.begin_nested():
            record(transaction.session, entry("kept.within"))
        record(transaction.session, entry("kept.after"))
    assert actions(database) == ["kept.before", "kept.within", "kept.after"]


def test_a_transaction_without_entries_does_not_wait_for_the_chain(database: Database) -> None:
    """Nor one with entries before its commit: what is slow within a transaction holds up nobody's record."""
    with database.transaction() as slow:
        record(slow.session, entry("slow.do"))
        slow.session.execute(text("SELECT 1"))
        append(database, entry("quick.do"))
    assert actions(database) == ["quick.do", "slow.do"]


def test_a_change_that_cannot_be_recorded_does_not_happen(database: Database) -> None:
    """Without a head there is nothing to append to, and the change is rolled back with a clear error."""

    def change() -> None:
        with database.transaction() as transaction:
            transaction.session.execute(text("INSERT INTO sites (id, slug, name) VALUES (gen_random_uuid(), 's', 'S')"))
            # As the owner of the cluster, who can get past every guard.
            transaction.session.execute(text("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica"))
            transaction.session.execute(text("DELETE FROM audit_head"))
            record(transaction.session, entry())

    with pytest.raises(TrailUnusable, match="no head"):
        change()
    with database.transaction() as transaction:
        assert transaction.session.execute(text("SELECT count(*) FROM sites")).scalar_one() == 0


def test_a_session_that_would_write_no_trail_takes_no_entries(database: Database) -> None:
    """A record that is silently lost would be worse than an error."""
    with Session(database.engine) as session, pytest.raises(RuntimeError, match="writes no audit trail"):
        record(session, entry())


def test_many_who_append_at_once_make_one_chain(database: Database) -> None:
    """No record is lost, none is there twice, and each names the one before it."""
    transactions, each = 24, 3
    actions_of = [[entry(f"racer{racer}.do{number}") for number in range(each)] for racer in range(transactions)]
    at_once([partial(append, database, *mine) for mine in actions_of])
    found = actions(database)
    assert sorted(found) == sorted(one.action for mine in actions_of for one in mine)
    for mine in actions_of:
        place = found.index(mine[0].action)
        assert found[place : place + each] == [one.action for one in mine]
    report = verify(database)
    assert (report.is_whole, report.records) == (True, 1 + transactions * each)
