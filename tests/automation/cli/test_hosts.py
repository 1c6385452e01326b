"""Declaring a worker's host dead, on the database."""

import socket
from uuid import UUID

import pytest
from sqlalchemy import func, update

from api.operations.models import Operation
from tests.automation.cli.conftest import Terminal
from tests.fixtures.operations import Desk
from tests.fixtures.shop import Shop


@pytest.fixture
def operator(terminal: Terminal, database_url: str) -> Terminal:
    """The terminal of whoever runs Slipway."""
    terminal.environment["DATABASE_URL"] = database_url
    return terminal


def left_by(desk: Desk, host: str) -> UUID:
    """Return an operation that a worker on a host took and let go of, with an engine of unknown end."""
    lease = desk.begun(desk.shop.place_paid(), f"{host}:42")
    engine = {"process": {"host": host, "boot_id": "a-boot", "pid": 1, "started_at_ticks": 1}, "ended": False}
    lapsed = {"engine": engine, "lease_until": func.now()}
    desk.shop.change(lambda session: session.execute(update(Operation).values(**lapsed)))
    return lease.operation_id


def test_a_dead_host_is_listed_and_declared_dead(operator: Terminal, desk: Desk) -> None:
    """What waited for it goes on, and the list says who declared it."""
    left_by(desk, "node-17")

    before = operator.run("host", "list").stdout
    said = operator.run("host", "fence", "node-17", "--reason", "power is off").stdout
    after = operator.run("host", "list").stdout

    assert "node-17" in before
    assert "in 1 boot(s)" in before
    assert "'node-17' is declared dead: what waits for its engines (1 boot(s)) goes on now." in said
    assert " by " not in before
    assert " by " in after


def test_this_host_an_unknown_one_and_no_reason_are_refused(operator: Terminal, desk: Desk) -> None:
    """Each in one sentence."""
    left_by(desk, socket.gethostname())
    refusals = {
        (socket.gethostname(), "it burns"): "is this host",
        ("nowhere", "it burns"): "no worker on a host 'nowhere' has been seen",
        ("node-17", "  "): "--reason: say how you know",
    }
    for (host, reason), words in refusals.items():
        assert words in operator.run("host", "fence", host, "--reason", reason, exit_code=1).stderr


def test_a_host_at_work_is_refused(operator: Terminal, desk: Desk, shop: Shop) -> None:
    """Its lease is valid."""
    desk.begun(shop.place_paid(), "node-17:42")
    error = operator.run("host", "fence", "node-17", "--reason", "it is slow", exit_code=1).stderr
    assert "'node-17' holds 1 lease(s)" in error


def test_the_database_must_be_named(terminal: Terminal) -> None:
    """The command speaks to it directly: the API may be away in such an hour."""
    terminal.environment["DATABASE_URL"] = ""
    assert "set DATABASE_URL" in terminal.run("host", "list", exit_code=1).stderr
