"""``slipway host``: which hosts work, and declaring one dead. On the database, by who runs Slipway."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from automation.cli.errors import CliError
from automation.cli.output import row, stdout, table

if TYPE_CHECKING:
    from automation.operations.fencing import HostFencing

hosts = typer.Typer(help="Hosts of workers: which there are, and declaring one dead.", no_args_is_help=True)


@hosts.command("list")
def list_hosts() -> None:
    """The hosts that work or have worked, and what is known of them."""
    shown = table("HOST", "LEASES", "LAST LEASE UNTIL", "ENGINES OF UNKNOWN END", "DECLARED DEAD")
    with _fencing() as fencing:
        for host in fencing.hosts():
            fence = host.fenced[0] if host.fenced else None
            until = host.lease_until.isoformat(timespec="seconds") if host.lease_until else "-"
            dead = f"{fence.declared_at.isoformat(timespec='seconds')} by {fence.declared_by}" if fence else "-"
            row(shown, host.name, host.leases, until, f"in {len(host.boots)} boot(s)" if host.boots else "-", dead)
    stdout().print(shown)


@hosts.command("fence")
def fence(
    host: Annotated[str, typer.Argument(help="Its name: see `slipway host list`.")],
    *,
    reason: Annotated[str, typer.Option(help="How you know that it is dead.")],
) -> None:
    """Declare a host dead for good or until its next start: what waits for its engines goes on.

    Make sure first: power it off or cut its network. An engine that lives on would work beside its successor.
    """
    if not reason.strip():
        raise CliError("--reason: say how you know that the host is dead")
    with _fencing() as fencing:
        fenced = fencing.fence(host, socket.gethostname(), getpass.getuser(), reason.strip())
    boots = len(fenced.boots)
    effect = (
        f"what waits for its engines ({boots} boot(s)) goes on now"
        if boots
        else "no engine of it was on record, so nothing waited for it"
    )
    stdout().print(f"'{host}' is declared dead: {effect}.", markup=False)


@contextmanager
def _fencing() -> "Iterator[HostFencing]":
    """Open a transaction on the database of DATABASE_URL; refusals become one clear sentence."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - the customers' verbs need no database

    from api.db.session import connect  # noqa: PLC0415 - see above
    from api.errors import SlipwayError  # noqa: PLC0415 - see above
    from automation.operations.fencing import HostFencing  # noqa: PLC0415 - see above

    if not os.environ.get("DATABASE_URL"):
        raise CliError("set DATABASE_URL in the environment")
    database = connect(os.environ["DATABASE_URL"])
    try:
        with database.transaction() as transaction:
            yield HostFencing(transaction.session)
    except SQLAlchemyError as error:
        raise CliError(f"DATABASE_URL: the database cannot be used: {error}") from error
    except SlipwayError as error:
        raise CliError(error.detail) from None
    finally:
        database.close()
