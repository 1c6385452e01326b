"""Accounts of staff, made by who runs Slipway."""

import pytest
from sqlalchemy import select

from api.audit.models import AuditRecord
from api.auth.models import Role, User
from tests.automation.cli.conftest import Terminal
from tests.fixtures.api import Api


@pytest.fixture
def operator(terminal: Terminal, database_url: str) -> Terminal:
    """A terminal with the database's address."""
    terminal.environment["DATABASE_URL"] = database_url
    return terminal


@pytest.mark.parametrize("role", ["support", "operator", "admin"])
def test_a_new_account_logs_in_with_the_printed_password(operator: Terminal, api: Api, role: str) -> None:
    """It has the role that was named; its address is normalised."""
    password = operator.run("admin", "create", "Ada@Example.com", "--role", role).stdout.splitlines()[-1].strip()
    answer = api.client().post("/v1/auth/login", json={"email": "ada@example.com", "password": password})

    assert answer.raise_for_status().json()["account"]["role"] == role


def test_without_a_role_an_account_only_sees(operator: Terminal, api: Api) -> None:
    """Rights are given by name, never by default."""
    operator.run("admin", "create", "ada@example.com")
    with api.runtime.database.transaction() as transaction:
        assert transaction.session.scalars(select(User.role)).all() == [Role.SUPPORT]


def test_an_account_is_promoted_and_dismissed(operator: Terminal, api: Api) -> None:
    """The customer's account stays; what it may do changes."""
    person = api.customer("ada@example.com")
    operator.run("admin", "role", "ada@example.com", "operator")
    promoted = person.http.get("/v1/me").json()["role"]
    operator.run("admin", "role", "ada@example.com", "customer")

    assert (promoted, person.http.get("/v1/me").json()["role"]) == ("operator", "customer")


def test_what_was_done_is_in_the_audit_trail(operator: Terminal, api: Api) -> None:
    """Who may do what is a change of state like any other."""
    operator.run("admin", "create", "ada@example.com", "--role", "operator")
    operator.run("admin", "role", "ada@example.com", "customer")
    with api.runtime.database.transaction() as transaction:
        records = transaction.session.scalars(
            select(AuditRecord).where(AuditRecord.subject_type == "account").order_by(AuditRecord.seq)
        ).all()

    found = [(record.action, record.actor_name, record.reason.split()[1]) for record in records]
    assert found[-2:] == [("account.create", "command line", "operator"), ("account.role", "command line", "customer")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "no address"), "EMAIL: not an email address"),
        (("role", "nobody@example.com", "admin"), "there is no account"),
        (("create", "taken@example.com"), "there is an account"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    operator: Terminal, api: Api, arguments: tuple[str, ...], said: str
) -> None:
    """A bad address, an unknown account, one that is there already."""
    api.customer("taken@example.com")

    assert said in operator.run("admin", *arguments, exit_code=1).stderr


def test_a_missing_setting_is_named(terminal: Terminal) -> None:
    """Which one, and that it belongs in the environment."""
    terminal.environment["DATABASE_URL"] = ""

    assert "set DATABASE_URL" in terminal.run("admin", "create", "ada@example.com", exit_code=1).stderr


def test_a_database_that_is_not_there_is_an_error_of_one_sentence(terminal: Terminal) -> None:
    """No traceback; the variable is named."""
    terminal.environment["DATABASE_URL"] = "postgresql://postgres@127.0.0.1:1/none"

    assert "DATABASE_URL" in terminal.run("admin", "create", "ada@example.com", exit_code=1).stderr
