"""``slipway bench fleet``: machines that are not there through orders, installations and removals, with faults."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from api.db.migrate import migrate
from api.db.roles import APP_ROLE
from api.db.session import Database, connect
from api.vault import Vault, generate_key
from automation.cli.output import row, table
from automation.embedded.postgres import EmbeddedPostgres
from components.specs.machine import MachineState
from lab.bench.figures import Figure, at_most, shown
from lab.bench.processes import free_port, running
from lab.metal.fleet.fleet import Fleet, FleetReport, FleetSize
from lab.metal.fleet.stocking import fill_image_store
from lab.metal.fleet.troubles import TroublePlan

_RATE = 0.1
_AT_ONCE = 16
_POOL = 20


def measure_fleet(console: Console, machines: int, seed: int) -> list[Figure]:
    """Run a fleet against an API and a boot service in processes of their own; blocks for minutes."""
    with tempfile.TemporaryDirectory(prefix="slipway-fleet-") as name:
        folder, key = Path(name), generate_key()
        folder.chmod(0o755)
        with _database(folder) as (url, database), _services(folder, url, key) as (api_url, boot_url):
            console.print(f"{machines} machines, seed {seed}: each order and each removal fails by chance, 1 in 10")
            plan, size = TroublePlan(seed, _RATE), FleetSize(machines, at_once=_AT_ONCE)
            report = Fleet(database, Vault(key), api_url, boot_url, plan, size).run()
    _show(console, report)
    return _figures(report)


def _show(console: Console, report: FleetReport) -> None:
    for title, counted in (("ORDERS", report.outcomes), ("FAULTS, AND HOW THE MACHINE ENDED", report.troubles)):
        shown_table = table("NUMBER", title)
        for what, number in sorted(counted.items()):
            row(shown_table, str(number), what)
        console.print(shown_table)
    for sentence in (*report.wrong, *report.surprises):
        console.print(f"[bold red]{sentence}[/]")


def _figures(report: FleetReport) -> list[Figure]:
    ended = [
        shown(f"fleet: machines that ended '{state}'", report.states.get(state, 0), "")
        for state in (MachineState.AVAILABLE, MachineState.ACTIVE, MachineState.QUARANTINE)
    ]
    return [
        at_most("fleet: machines written for another, unwiped, or lost", len(report.wrong), "", 0, "by the oracle"),
        at_most("fleet: machines that did what none does", len(report.surprises), "", 0),
        *ended,
        shown("fleet: faults that were let happen", report.troubles.total(), ""),
        shown("fleet: removals that wait for a person", sum(life.needs_person for life in report.lives), ""),
        shown("fleet: requests", report.requests / report.seconds, "/s", f"{report.requests} in all"),
        shown("fleet: from the first order to the last wipe", report.seconds, "s", f"{_AT_ONCE} at once"),
    ]


@contextmanager
def _database(folder: Path) -> Iterator[tuple[str, Database]]:
    with tempfile.TemporaryDirectory(prefix="slipway-fleet-pg-") as data:
        postgres = EmbeddedPostgres(Path(data) / "data")
        try:
            url = postgres.create_database(f"fleet-{folder.name[-8:]}")
            owner = connect(url)
            migrate(owner)
            owner.close()
            database = connect(url, pool_size=_POOL, role=APP_ROLE)
            try:
                yield url, database
            finally:
                database.close()
        finally:
            postgres.stop()


@contextmanager
def _services(folder: Path, database_url: str, key: str) -> Iterator[tuple[str, str]]:
    """Run API and boot service; of the API only what engines ask is used, so most of its settings lead nowhere."""
    fill_image_store(folder / "store")
    (folder / "deployer").mkdir()
    for name in ("kernel", "initrd"):
        (folder / "deployer" / name).write_bytes(b"not needed here")
    api_port, boot_port = free_port(), free_port()
    api_url, boot_url = (f"http://127.0.0.1:{port}" for port in (api_port, boot_port))
    common = {"DATABASE_URL": database_url, "SLIPWAY_MASTER_KEYS": key}
    api = {
        **common,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SLIPWAY_PUBLIC_URL": api_url,
        "SLIPWAY_STATE_DATABASE_URL": "postgres://nobody@127.0.0.1:1/state",
        "SLIPWAY_STRIPE_SECRET_KEY": "sk_test_made_up",
        "SLIPWAY_STRIPE_WEBHOOK_SECRETS": "whsec_made_up",
    }
    boot = {
        **common,
        "SLIPWAY_PXE_URL": boot_url,
        "SLIPWAY_PXE_IMAGE_STORE": str(folder / "store"),
        "SLIPWAY_PXE_DEPLOYER": str(folder / "deployer"),
        "SLIPWAY_PXE_REQUESTS_PER_MINUTE": "100000000",
    }
    api_program = [sys.executable, "-m", "uvicorn", "--factory", "api.serve:app", "--no-access-log"]
    boot_program = [sys.executable, "-m", "pxe.boot", "serve"]
    with (
        running([*api_program, "--port", str(api_port)], folder / "api.log", f"{api_url}/healthz", api),
        running([*boot_program, "--port", str(boot_port)], folder / "boot.log", f"{boot_url}/readyz", boot),
    ):
        yield api_url, boot_url
