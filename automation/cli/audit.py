"""``slipway audit``: is the trail whole, what does it hold, where does it end. On the database, by who runs Slipway."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automation.cli.errors import CliError
from automation.cli.output import stderr, stdout

if TYPE_CHECKING:
    from api.db.session import Database

audit = typer.Typer(help="The audit trail: who changed what, and why.", no_args_is_help=True)
Moment = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])]


@audit.command("head")
def head() -> None:
    """Print where the trail ends, as NUMBER:HASH. Keep it elsewhere, and give it to `verify --since-head` later."""
    from api.audit.verify import read_head  # noqa: PLC0415 - the customers' verbs need no database

    with _database() as database, database.transaction() as transaction:
        found = read_head(transaction.session)
    if found is None:
        raise CliError("the trail's head is gone: run `slipway audit verify`")
    stdout().print(str(found), markup=False)


@audit.command("verify")
def verify(
    *, since_head: Annotated[str | None, typer.Option(help="What `slipway audit head` printed once.")] = None
) -> None:
    """Check that no record was changed, removed or moved; exits with 1 and lists what is wrong otherwise."""
    from api.audit.verify import Anchor, verify  # noqa: PLC0415 - see ``head``

    with _database() as database:
        report = verify(database, None if since_head is None else Anchor.parse(since_head))
    if report.is_whole:
        stdout().print(f"The trail is whole: {report.records} records, head {report.head}.", markup=False)
        return
    for flaw in report.flaws:
        stdout().print(f"{flaw.kind}: {flaw.what}", markup=False)
    more = f" ({report.count - len(report.flaws)} more are not listed)" if report.count > len(report.flaws) else ""
    raise CliError(f"the trail is not whole: {report.count} flaws in {report.records} records{more}")


@audit.command("export")
def export(
    *,
    since: Moment = None,
    until: Moment = None,
    subject_type: Annotated[str | None, typer.Option(help="Only this kind of thing, as workload.")] = None,
    subject_id: Annotated[str | None, typer.Option(help="Only this thing.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
) -> None:
    """Write the records as JSON lines, the oldest first; times without a zone are UTC."""
    from api.audit.export import Selection, export  # noqa: PLC0415 - see ``head``

    with _database() as database:
        lines = export(database, Selection(_aware(since), _aware(until), subject_type, subject_id))
        number = _write(lines, output)
    if output is not None:
        stderr().print(f"Wrote {number} records.")


def _write(lines: Iterator[str], output: Path | None) -> int:
    number = 0
    try:
        with output.open("w", encoding="utf-8") if output else nullcontext(sys.stdout) as file:
            for line in lines:
                file.write(line + "\n")
                number += 1
    except OSError as error:
        raise CliError(f"{output or 'standard output'}: {error.strerror}") from error
    return number


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


@contextmanager
def _database() -> "Iterator[Database]":
    """Open the database of DATABASE_URL; the trail's and the database's refusals become one clear sentence."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - see ``head``

    from api.db.session import connect  # noqa: PLC0415 - see ``head``
    from api.errors import SlipwayError  # noqa: PLC0415 - see ``head``

    if not os.environ.get("DATABASE_URL"):
        raise CliError("set DATABASE_URL in the environment")
    database = connect(os.environ["DATABASE_URL"])
    try:
        yield database
    except SQLAlchemyError as error:
        raise CliError(f"DATABASE_URL: the database cannot be used: {error}") from error
    except SlipwayError as error:
        raise CliError(error.detail) from None
    finally:
        database.close()
