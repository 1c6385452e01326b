"""Transactions commit or roll back as a whole, and after-commit actions follow the commit."""

import pytest
from sqlalchemy import text

from api.db.roles import APP_ROLE
from api.db.session import Database


def test_after_commit_actions_run_only_once_the_data_is_durable(database: Database) -> None:
    """An action registered in a transaction sees that transaction's rows from another connection."""
    seen: list[int] = []

    def look() -> None:
        with database.transaction() as other:
            seen.append(other.session.execute(text("SELECT count(*) FROM sites")).scalar_one())

    with database.transaction() as transaction:
        transaction.session.execute(
            text("INSERT INTO sites (id, slug, name) VALUES (gen_random_uuid(), 'fsn', 'Falkenstein')")
        )
        transaction.after_commit(look)

    assert seen == [1]


def test_a_rolled_back_transaction_runs_no_after_commit_action(database: Database) -> None:
    """What was to follow a commit does not happen when there is none."""
    ran: list[bool] = []

    def fail() -> None:
        with database.transaction() as transaction:
            transaction.after_commit(lambda: ran.append(True))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert ran == []


@pytest.mark.parametrize(("role", "refusal"), [("NONE", "append-only"), (APP_ROLE, "permission denied")])
def test_the_ledger_refuses_to_be_rewritten(database: Database, role: str, refusal: str) -> None:
    """Rows of the ledger are only ever added, by the owner of the tables too."""

    def rewrite() -> None:
        with database.transaction() as transaction:
            transaction.session.execute(text(f"SET LOCAL ROLE {role}"))
            transaction.session.execute(text("DELETE FROM ledger_entries"))

    with pytest.raises(Exception, match=refusal):
        rewrite()
