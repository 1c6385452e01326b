"""``slipway state``: the state database checked, and a stack brought back to a backup of its state."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from automation.cli.errors import CliError
from automation.cli.output import stdout

if TYPE_CHECKING:
    from api.db.session import Database
    from api.state.store import StateStore

state = typer.Typer(help="The engine's state: checked, and brought back from a backup.", no_args_is_help=True)
Reason = Annotated[str, typer.Option(help="Why; the audit trail keeps it.")]
_STATE = "SLIPWAY_STATE_DATABASE_URL"
_DATABASE = "DATABASE_URL"


@state.command("check")
def check() -> None:
    """Hold the state against the application's database; ends with 1 if they do not agree."""
    from automation.state.check import check as find  # noqa: PLC0415 - the customers' verbs need no database

    with _database() as database, _states() as states:
        violations = find(database, states)
    for violation in violations:
        stdout().print(f"{violation.stack or 'the state database'}: {violation.what}", markup=False, soft_wrap=True)
    if violations:
        raise CliError(f"{len(violations)} found; docs/runbooks/restore-the-state-database.md says what to do")
    stdout().print("State and application agree.")


@state.command("backups")
def backups(stack: str) -> None:
    """List the states that a stack can be brought back to, newest first."""
    from api.state.backups import StackBackups  # noqa: PLC0415 - the customers' verbs need no database

    with _states() as states:
        found = StackBackups(states).list(stack)
    if not found:
        raise CliError(f"stack {stack} has no backup")
    table = Table("From", "Written (UTC)", "Resources", "Pending", "")
    for backup in found:
        at = f"{backup.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(backup.name, at, str(backup.resources), str(backup.pending), backup.problem)
    stdout().print(table)


@state.command("restore")
def restore(
    stack: str,
    source: Annotated[str, typer.Option("--from", help="A name that `slipway state backups` lists.")],
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002 - typer's idiom
) -> None:
    """Make a backup a stack's state; what stands there now is put aside. Nothing outside is touched."""
    from automation.state.restoring import restore as bring_back  # noqa: PLC0415 - the customers' verbs need no database

    if not yes:
        typer.confirm(f"Replace the state of {stack} by its backup {source}?", abort=True)
    with _database() as database, _states() as states:
        aside = bring_back(database, states, stack, source, reason=reason, deadline_seconds=_lifetime())
    stdout().print(f"Done; the former state is kept as {aside}.", markup=False, soft_wrap=True)
    stdout().print("What is wanted of this workload is planned anew now, against what is really there.")


@state.command("replan")
def replan(
    stack: str,
    reason: Reason,
    holder_is_dead: Annotated[  # noqa: FBT002 - typer's idiom
        bool, typer.Option("--holder-is-dead", help="The process that holds the state's lock is no more.")
    ] = False,
) -> None:
    """Plan what is wanted of a workload anew, against what is really there; for one whose state is missing, too."""
    from automation.state.restoring import replan as plan_anew  # noqa: PLC0415 - the customers' verbs need no database

    with _database() as database, _states() as states:
        plan_anew(
            database,
            states,
            stack,
            reason=reason,
            deadline_seconds=_lifetime(),
            holder_is_dead=holder_is_dead,
        )
    stdout().print("It is planned anew now.")


@state.command("forget")
def forget(stack: str, reason: Reason) -> None:
    """Take the stack of a deleted workload out of the state; its state is put aside."""
    from automation.state.restoring import forget as take_out  # noqa: PLC0415 - the customers' verbs need no database

    with _database() as database, _states() as states:
        aside = take_out(database, states, stack, reason=reason)
    stdout().print(f"Done; its state is kept as {aside}.", markup=False, soft_wrap=True)


@contextmanager
def _database() -> "Iterator[Database]":
    """Yield the application's database; what is refused becomes a sentence."""
    from api.db.session import connect  # noqa: PLC0415 - the customers' verbs need no database
    from api.errors import SlipwayError  # noqa: PLC0415 - see above

    try:
        with closing(connect(_needed(_DATABASE))) as database:
            yield database
    except SlipwayError as error:
        raise CliError(error.detail) from error


@contextmanager
def _states() -> "Iterator[StateStore]":
    """Yield the state store; what goes wrong with it becomes a sentence."""
    from api.errors import SlipwayError  # noqa: PLC0415 - the customers' verbs need no database
    from api.state.store import StateStore  # noqa: PLC0415 - see above

    try:
        with closing(StateStore(_needed(_STATE))) as states:
            yield states
    except (SlipwayError, ValueError) as error:
        raise CliError(str(error)) from error


def _lifetime() -> float:
    from api.settings import Settings  # noqa: PLC0415 - the customers' verbs need no settings

    given = os.environ.get("SLIPWAY_OPERATION_LIFETIME_SECONDS")
    return float(given or Settings.model_fields["operation_lifetime_seconds"].default)


def _needed(variable: str) -> str:
    if not os.environ.get(variable):
        raise CliError(f"set {variable} in the environment")
    return os.environ[variable]
