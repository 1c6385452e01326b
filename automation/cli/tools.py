"""``slipway keys``, ``slipway estate``, ``slipway bench`` and ``slipway chaos``: the operator's small tools."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import typer

from automation.cli.errors import CliError
from automation.cli.output import stdout

keys = typer.Typer(help="Master keys, which wrap stored credentials.", no_args_is_help=True)
estate = typer.Typer(help="Nodes, address pools and DNS zones that can be sold from.", no_args_is_help=True)


@keys.callback()
def _keys() -> None:
    """Keep ``generate`` a command of its own: a group of one would be collapsed."""


@estate.callback()
def _estate() -> None:
    """Keep ``import`` a command of its own: a group of one would be collapsed."""


@keys.command("generate")
def generate() -> None:
    """Print a new master key. Put it first in SLIPWAY_MASTER_KEYS and keep the older ones behind it."""
    from api.vault import generate_key  # noqa: PLC0415 - the customers' verbs need no cryptography

    stdout().print(generate_key(), markup=False)


@estate.command("import")
def import_document(file: Path) -> None:
    """Import an estate document (JSON) into the database of DATABASE_URL; safe to repeat."""
    from api.db.session import connect  # noqa: PLC0415 - the customers' verbs need no database
    from api.errors import SlipwayError  # noqa: PLC0415 - see above
    from api.vault import Vault  # noqa: PLC0415 - see above
    from automation.embedded.errors import EmbeddedError  # noqa: PLC0415 - see above
    from automation.embedded.provision import import_estate  # noqa: PLC0415 - see above

    missing = [name for name in ("DATABASE_URL", "SLIPWAY_MASTER_KEYS") if not os.environ.get(name)]
    if missing:
        raise CliError(f"set {' and '.join(missing)} in the environment")
    database = connect(os.environ["DATABASE_URL"])
    try:
        document = import_estate(database, Vault(os.environ["SLIPWAY_MASTER_KEYS"]), file)
    except (EmbeddedError, SlipwayError, ValueError) as error:
        raise CliError(str(error)) from error
    finally:
        database.close()
    stdout().print(f"Imported {len(document.nodes)} nodes and {len(document.address_pools)} address pools.")


def migrate() -> None:
    """Bring the schema and the catalogue in the database of MIGRATION_DATABASE_URL (or DATABASE_URL) up to date.

    Safe to repeat, and to run in several places at once: each waits for the other. Run it before the new API starts.
    """
    from api.db.session import connect  # noqa: PLC0415 - the customers' verbs need no database
    from api.settings import MigrationSettings  # noqa: PLC0415 - see above
    from automation.embedded.provision import prepare_database  # noqa: PLC0415 - see above

    if not (os.environ.get("MIGRATION_DATABASE_URL") or os.environ.get("DATABASE_URL")):
        raise CliError("set MIGRATION_DATABASE_URL, the address of the database with its owner's login")
    database = connect(MigrationSettings().database_url.get_secret_value())
    try:
        prepare_database(database, currency=os.environ.get("SLIPWAY_CURRENCY", "eur"))
    finally:
        database.close()
    stdout().print("The database is up to date.")


def bench(context: typer.Context) -> None:
    """Measure this system against the lab; `slipway bench --help` lists the lab's own options."""
    _run_in_lab("bench", context.args)


def chaos(context: typer.Context) -> None:
    """Break a whole system of its own for some minutes, and see whether it loses anything; `slipway chaos --help`."""
    _run_in_lab("chaos", context.args)


def _run_in_lab(name: str, arguments: list[str]) -> NoReturn:
    if find_spec("lab") is None:
        raise CliError(f"the lab is not installed here: `slipway {name}` runs from the source tree")
    raise typer.Exit(subprocess.run([sys.executable, "-m", f"lab.{name}", *arguments], check=False).returncode)
