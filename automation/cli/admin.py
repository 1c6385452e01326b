"""``slipway admin``: accounts of staff, made on the database by who runs Slipway."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from automation.cli.errors import CliError
from automation.cli.output import stdout

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from api.auth.accounts import Accounts
    from api.auth.models import User

admin = typer.Typer(help="Accounts of staff: who may see, approve and set policy.", no_args_is_help=True)


class StaffRole(StrEnum):
    """Roles, as ``api.auth.models.Role`` has them; listed here so that ``--help`` needs no database driver."""

    SUPPORT = "support"
    OPERATOR = "operator"
    ADMIN = "admin"


class AnyRole(StrEnum):
    """What an account can be made: ``customer`` takes staff's rights away."""

    CUSTOMER = "customer"
    SUPPORT = "support"
    OPERATOR = "operator"
    ADMIN = "admin"


Email = Annotated[str, typer.Argument(help="The account's address.")]


@admin.command("create")
def create(
    email: Email, role: Annotated[StaffRole, typer.Option(help="What they may do.")] = StaffRole.SUPPORT
) -> None:
    """Make an account of staff in the database of DATABASE_URL, and print its password, this once."""
    from api.auth.models import Role  # noqa: PLC0415 - the customers' verbs need no database
    from api.auth.passwords import Passwords  # noqa: PLC0415 - see above

    password = secrets.token_urlsafe(18)
    encoded = Passwords().hash(password)
    made = _change(email, "account.create", lambda accounts, address: accounts.add(address, encoded, Role(role)))
    stdout().print(f"Made {made}, {role}. Password, shown this once:\n{password}", markup=False)


@admin.command("role")
def set_role(email: Email, role: AnyRole) -> None:
    """Give an account another role; it holds at once, for open sessions and tokens too."""
    from api.auth.models import Role  # noqa: PLC0415 - see ``create``

    changed = _change(email, "account.role", lambda accounts, address: accounts.set_role(address, Role(role)))
    stdout().print(f"{changed} is {role} now.", markup=False)


def _change(email: str, name: str, action: "Callable[[Accounts, str], User]") -> str:
    """Change an account, record that in the audit trail, and return its address."""
    from api.audit.trail import OPERATOR_SHELL, AuditEntry, record  # noqa: PLC0415 - see ``create``
    from api.auth.accounts import Accounts  # noqa: PLC0415 - see ``create``
    from api.auth.fields import normalise_email  # noqa: PLC0415 - see ``create``
    from api.errors import SlipwayError  # noqa: PLC0415 - see ``create``

    try:
        address = normalise_email(email)
        with _session() as session:
            user = action(Accounts(session), address)
            reason = f"made {user.role} by whoever runs Slipway"
            entry = AuditEntry(
                action=name, actor=OPERATOR_SHELL, subject_type="account", subject_id=user.id, reason=reason
            )
            record(session, entry)
            return user.email
    except ValueError as error:
        raise CliError(f"EMAIL: {error}") from None
    except SlipwayError as error:
        raise CliError(error.detail) from None


@contextmanager
def _session() -> "Iterator[Session]":
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - see ``create``

    from api.db.session import connect  # noqa: PLC0415 - see ``create``

    if not os.environ.get("DATABASE_URL"):
        raise CliError("set DATABASE_URL in the environment")
    database = connect(os.environ["DATABASE_URL"])
    try:
        with database.transaction() as transaction:
            yield transaction.session
    except SQLAlchemyError as error:
        raise CliError(f"DATABASE_URL: the database cannot be used: {error}") from error
    finally:
        database.close()
