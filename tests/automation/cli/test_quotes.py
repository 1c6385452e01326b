"""Asking for a quote in a terminal."""

import json

import pytest

from api.jobs import Job
from api.orders.models import Order
from api.quotes.models import Quote
from tests.automation.cli.conftest import Terminal
from tests.factories.estate import estate, node_for
from tests.fakes.engine import FakeEngine
from tests.fixtures.api import Api
from tests.fixtures.shop import Shop

VM = ("quote", "cloud-vm", "--size", "small", "--template", "debian-12", "--name", "box", "--ssh-key", "laptop")
PLAN = "a new virtual machine with 1 core on FSN node cloud-1; two new DNS records; EUR 4.50 a month"


@pytest.mark.usefixtures("planner")
def test_the_price_and_the_plan_are_shown(logged_in: Terminal, api_shop: Shop) -> None:
    """In words, once the engine has looked; nothing is ordered."""
    said = logged_in.run(*VM).stdout

    assert "for 4.50 EUR a month" in said
    assert f"Plan: {PLAN}" in said
    assert api_shop.all(Order) == []


@pytest.mark.usefixtures("planner", "api_shop")
def test_programs_read_it_as_json(logged_in: Terminal) -> None:
    """Exactly what the API gives."""
    quote = json.loads(logged_in.run(*VM, "--json").stdout)

    assert (quote["status"], quote["plan"], quote["price_cents"]) == ("ready", PLAN, 450)


@pytest.mark.usefixtures("api_shop")
def test_why_there_is_no_plan_is_said(logged_in: Terminal, planner: FakeEngine) -> None:
    """After the price, which stands."""
    planner.fail_next_preview("invalid_spec", retryable=False, message="It cannot be made.")

    ended = logged_in.run(*VM, exit_code=1)

    assert "for 4.50 EUR a month" in ended.stdout
    assert "there is no plan: It cannot be made." in ended.stderr


def test_sold_out_is_said_as_what_it_is(logged_in: Terminal, empty_shop: Shop, api: Api) -> None:
    """No worker is asked for a plan."""
    empty_shop.vault = api.runtime.vault
    empty_shop.stock(estate(nodes=[node_for(0)]))

    assert "sold out" in logged_in.run(*VM, exit_code=1).stderr
    assert api.jobs.of(Job.PREVIEW_QUOTE) == []
    assert len(empty_shop.all(Quote)) == 1
