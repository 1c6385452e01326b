"""Alerts on a real database: one a thing, however often it is seen, until its cause is gone."""

from collections.abc import Sequence
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import select

from api.alerts.models import Alert, AlertKind
from api.alerts.service import acknowledge, raise_alert, resolve
from api.auth.accounts import Accounts
from api.auth.caller import Principal, Via
from api.auth.models import Role
from api.db.session import Database
from api.errors import Conflict, NotFound
from tests.fixtures.trail import records
from tests.races import at_once

KIND = AlertKind.NEEDS_ATTENTION
WORKLOAD = uuid4()


def sound(database: Database, message: str = "it is half-way", kind: AlertKind = KIND) -> None:
    """Raise an alert about the workload."""
    with database.transaction() as transaction:
        raise_alert(transaction.session, kind, "workload", WORKLOAD, message)


def alerts(database: Database) -> Sequence[Alert]:
    """Return all alerts, oldest first."""
    with database.transaction() as transaction:
        return transaction.session.scalars(select(Alert).order_by(Alert.id)).all()


@pytest.fixture
def olga(database: Database) -> Principal:
    """Return an operator."""
    with database.transaction() as transaction:
        user = Accounts(transaction.session).add("olga@example.com", "no hash", Role.OPERATOR)
    return Principal(user.id, user.email, user.role, frozenset(), Via.SESSION, uuid4(), None)


def test_what_is_seen_again_is_one_alert(database: Database) -> None:
    """Its message is the latest, and it counts how often it was raised."""
    sound(database)
    sound(database, "it is worse")
    (alert,) = alerts(database)
    assert (alert.kind, alert.subject_type, alert.subject_id) == (KIND, "workload", str(WORKLOAD))
    assert (alert.message, alert.sightings, alert.resolved_at) == ("it is worse", 2, None)
    assert alert.seen_at > alert.created_at


def test_other_kinds_and_other_things_have_their_own(database: Database) -> None:
    """One does not hide the other."""
    sound(database)
    sound(database, kind=AlertKind.DRIFT)
    with database.transaction() as transaction:
        raise_alert(transaction.session, KIND, "workload", uuid4(), "it is half-way")
    assert [alert.sightings for alert in alerts(database)] == [1, 1, 1]


def test_two_who_see_it_at_once_open_one(database: Database) -> None:
    """The unique index decides, and nobody gets an error."""
    at_once([partial(sound, database)] * 8)
    assert [alert.sightings for alert in alerts(database)] == [8]


def test_an_alert_whose_cause_is_gone_is_resolved_and_may_come_again(database: Database) -> None:
    """The old one stays for the record."""
    sound(database)
    with database.transaction() as transaction:
        assert resolve(transaction.session, KIND, WORKLOAD) is True
        assert resolve(transaction.session, KIND, WORKLOAD) is False
    sound(database)
    assert [alert.resolved_at is None for alert in alerts(database)] == [False, True]


def test_only_the_alert_of_that_kind_and_thing_is_resolved(database: Database) -> None:
    """Others are still true."""
    sound(database, kind=AlertKind.DRIFT)
    with database.transaction() as transaction:
        assert not resolve(transaction.session, KIND, WORKLOAD)
        assert not resolve(transaction.session, AlertKind.DRIFT, uuid4())


def test_who_acknowledges_first_stays_and_is_recorded(database: Database, olga: Principal) -> None:
    """Saying it twice changes nothing."""
    sound(database)
    (alert,) = alerts(database)
    for _ in range(2):
        with database.transaction() as transaction:
            acknowledge(transaction.session, alert.id, olga)
    (after,) = alerts(database)
    assert after.acknowledged_by == olga.user_id
    said = [(one.actor_name, one.subject_id) for one in records(database) if one.action == "alert.acknowledge"]
    assert said == [("olga@example.com", str(WORKLOAD))]


def test_news_take_an_acknowledgement_back(database: Database, olga: Principal) -> None:
    """The same again does not: somebody is at it."""
    sound(database)
    with database.transaction() as transaction:
        acknowledge(transaction.session, alerts(database)[0].id, olga)
    sound(database)
    assert alerts(database)[0].acknowledged_by == olga.user_id
    sound(database, "it is worse")
    assert (alerts(database)[0].acknowledged_by, alerts(database)[0].acknowledged_at) == (None, None)


def test_what_is_over_or_never_was_cannot_be_acknowledged(database: Database, olga: Principal) -> None:
    """Each with its own error."""
    sound(database)
    with database.transaction() as transaction:
        resolve(transaction.session, KIND, WORKLOAD)
    for alert_id, error in ((alerts(database)[0].id, Conflict), (uuid4(), NotFound)):
        with pytest.raises(error), database.transaction() as transaction:
            acknowledge(transaction.session, alert_id, olga)
