"""The policy in force and its versions, on real PostgreSQL."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from uuid_utils.compat import uuid7

from api.audit.models import AuditRecord
from api.auth.errors import RoleRequired
from api.auth.models import Role, User
from api.auth.principal import Principal, Via
from api.db.session import Database
from api.policy.errors import PolicyMoved
from api.policy.models import PolicyVersion
from api.policy.settings import PolicySettings, current_policy, policy_in_force, set_policy
from tests.factories.customers import add_customer
from tests.races import at_once

STRICT = PolicySettings(backup_max_age_hours=2)


def person(database: Database, role: Role = Role.ADMIN) -> Principal:
    """Hire somebody."""
    user_id = add_customer(database)
    with database.transaction() as transaction:
        user = transaction.session.get_one(User, user_id)
        user.role = role
        email = user.email
    return Principal(user_id, email, role, frozenset(), Via.SESSION, uuid7(), datetime.now(UTC))


def put(database: Database, admin: Principal, settings: PolicySettings, seen: int) -> int:
    """Set the policy in a transaction of its own."""
    with database.transaction() as transaction:
        return set_policy(transaction.session, admin, settings, "an incident", seen=seen)


def test_the_defaults_are_in_force_until_somebody_sets_a_policy(database: Database) -> None:
    """They are version 0, which nobody set."""
    with database.transaction() as transaction:
        found = policy_in_force(transaction.session)

    assert (found.version, found.settings, found.set_by) == (0, PolicySettings(), None)


def test_the_newest_version_is_in_force_and_the_older_ones_stay(database: Database) -> None:
    """Who set which, and why, can be read for ever."""
    admin = person(database)
    assert put(database, admin, STRICT, seen=0) == 1
    assert put(database, admin, PolicySettings(), seen=1) == 2

    with database.transaction() as transaction:
        assert current_policy(transaction.session) == PolicySettings()
        rows = transaction.session.scalars(select(PolicyVersion).order_by(PolicyVersion.version)).all()
    assert [(row.version, row.document["backup_max_age_hours"], row.set_by) for row in rows] == [
        (1, 2, admin.user_id),
        (2, 24, admin.user_id),
    ]


@pytest.mark.parametrize("seen", [0, 2])
def test_another_version_is_not_overwritten(database: Database, seen: int) -> None:
    """Whoever looked at an older one, or at none that exists, looks again."""
    admin = person(database)
    put(database, admin, STRICT, seen=0)

    with pytest.raises(PolicyMoved, match="'version'"):
        put(database, admin, PolicySettings(), seen=seen)


def test_of_two_at_once_one_wins(database: Database) -> None:
    """The other is told; neither is lost unseen."""
    admin = person(database)

    answers = at_once([lambda: put(database, admin, STRICT, seen=0) for _ in range(4)])

    assert answers.count(1) == 1
    assert sum(isinstance(answer, PolicyMoved) for answer in answers) == 3


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.SUPPORT, Role.OPERATOR])
def test_only_an_administrator_sets_it(database: Database, role: Role) -> None:
    """The service refuses by itself, whoever calls it."""
    with pytest.raises(RoleRequired):
        put(database, person(database, role), STRICT, seen=0)


@pytest.mark.parametrize("statement", ["UPDATE policy_settings SET version = 9", "DELETE FROM policy_settings"])
def test_no_version_is_changed_or_removed(database: Database, statement: str) -> None:
    """The table only grows."""
    put(database, person(database), STRICT, seen=0)

    with pytest.raises(Exception, match="append-only"), database.transaction() as transaction:
        transaction.session.execute(text(statement))


def test_the_trail_has_who_why_and_what(database: Database) -> None:
    """Only what differs is in the difference."""
    admin = person(database)
    put(database, admin, STRICT, seen=0)

    with database.transaction() as transaction:
        record = transaction.session.scalars(select(AuditRecord).where(AuditRecord.action == "policy.set")).one()
    assert (UUID(str(record.actor_id)), record.reason, record.subject_id) == (admin.user_id, "an incident", "1")
    assert record.diff == {"backup_max_age_hours": {"before": 24, "after": 2}}


def test_settings_of_another_release_are_read(database: Database) -> None:
    """A field that is gone is left out, a new one has its default: an update must not stop all plans."""
    with database.transaction() as transaction:
        row = PolicyVersion(
            version=1, document={"backup_max_age_hours": 5, "gone": 1}, set_by=person(database).user_id, reason="old"
        )
        transaction.session.add(row)
        transaction.session.flush()
        found = current_policy(transaction.session)

    assert found == PolicySettings(backup_max_age_hours=5)
