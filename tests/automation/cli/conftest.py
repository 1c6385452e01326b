"""A terminal whose commands speak to a running API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from api.auth.scopes import CUSTOMER_SCOPES
from api.db.session import Database
from api.jobs import Job
from automation.cli.main import app
from automation.quotes.planner import QuotePlanner
from tests.fakes.engine import FakeEngine
from tests.fakes.workload_specs import SSH_KEY
from tests.fixtures.api import Api, Customer
from tests.fixtures.operations import Desk
from tests.fixtures.runner import worker_settings
from tests.fixtures.shop import Shop


@dataclass
class Terminal:
    """Runs commands with an environment of its own, and keeps what they store in its own folder."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, typed: str | None = None, exit_code: int = 0) -> Result:
        """Run ``slipway`` with these arguments; fails the test if it does not end with ``exit_code``."""
        given: dict[str, str | None] = {"SLIPWAY_API_URL": None, "SLIPWAY_TOKEN": None, "SLIPWAY_PASSWORD": None}
        given |= {"XDG_CONFIG_HOME": str(self.folder), "COLUMNS": "400", **self.environment}
        result = CliRunner().invoke(app, list(arguments), input=typed, env=given)
        assert result.exit_code == exit_code, f"{result.output}\n{result.exception!r}"
        assert "Traceback" not in result.output
        return result

    @property
    def credentials(self) -> Path:
        """Where a login is stored."""
        return self.folder / "slipway" / "credentials.json"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A terminal that knows nothing."""
    return Terminal(tmp_path)


@pytest.fixture
def at_api(terminal: Terminal, api: Api) -> Terminal:
    """A terminal that knows where the API is, and nobody is logged in at."""
    terminal.environment["SLIPWAY_API_URL"] = api.url
    return terminal


@pytest.fixture
def api_shop(api: Api, database: Database) -> Shop:
    """The stocked shop behind the API."""
    shop = Shop(database, api.payments, api.jobs, api.runtime.vault)
    shop.stock()
    return shop


@pytest.fixture
def api_desk(api_shop: Shop) -> Desk:
    """The workers' side of that shop."""
    return Desk(api_shop)


@pytest.fixture
def planner(api: Api, tmp_path: Path) -> FakeEngine:
    """An idle worker that plans quotes at once; returns its engine."""
    engine = FakeEngine()
    settings = worker_settings(tmp_path)
    api.jobs.serve(Job.PREVIEW_QUOTE, QuotePlanner(api.runtime.database, engine, api.runtime.vault, settings).plan)
    return engine


@pytest.fixture
def buyer(api: Api) -> Customer:
    """A customer with an SSH key named ``laptop``."""
    customer = api.customer()
    body = {"name": "laptop", "public_key": SSH_KEY}
    customer.http.post("/v1/ssh-keys", json=body).raise_for_status()
    return customer


@pytest.fixture
def logged_in(at_api: Terminal, buyer: Customer) -> Terminal:
    """A terminal with the buyer's token."""
    body = {"name": "terminal", "scopes": list(CUSTOMER_SCOPES)}
    token = buyer.http.post("/v1/tokens", json=body).raise_for_status().json()["token"]
    at_api.environment["SLIPWAY_TOKEN"] = token
    return at_api


def place(shop: Shop, buyer: Customer, name: str) -> UUID:
    """Order a small cloud VM by that name and pay it; returns the order."""
    return shop.place_paid(buyer.id, name=name)


def lines(result: Result) -> Sequence[str]:
    """What a command answered, line by line, without the spaces at their ends."""
    return [line.rstrip() for line in result.stdout.splitlines()]
