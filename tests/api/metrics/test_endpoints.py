"""What Prometheus reads."""

from collections.abc import Mapping

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from api.auth.models import Role
from api.billing.models import LedgerEntry
from api.inventory.models import Node, NodeState
from api.metrics.rows import RowMetrics
from components.specs.machine import MachineState
from tests.fixtures.api import Api
from tests.fixtures.machines import Stable
from tests.fixtures.runner import RunnerRig
from tests.fixtures.shop import Shop

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client: httpx.Client) -> Samples:
    """Every sample by name and labels."""
    answer = client.get("/metrics")
    answer.raise_for_status()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """The one sample of a name that has at least these labels."""
    (found,) = (
        number for (series, its), number in samples.items() if series == name and labels.items() <= dict(its).items()
    )
    return found


@pytest.fixture
def prometheus(api: Api) -> httpx.Client:
    """A scraper with a token that can read and no more."""
    return api.staff(Role.ADMIN).token_client("inventory:read")


def test_requests_are_counted_by_route_and_never_by_path(api: Api, prometheus: httpx.Client) -> None:
    """Whatever a caller invents makes no new series."""
    before = len(scraped(prometheus))
    for number in range(5):
        api.client().get(f"/v1/nothing/{number}")
    samples = scraped(prometheus)
    assert value(samples, "slipway_http_requests_total", route="none", method="GET", status="404") == 5
    assert value(samples, "slipway_http_request_seconds_count", route="none", method="GET") == 5
    assert len(samples) - before < 40


def test_a_delivered_order_is_seen_in_every_figure(runner_rig: RunnerRig, prometheus: httpx.Client) -> None:
    """Workload, room on the node, money, and how long the phases took."""
    runner_rig.delivered()
    samples = scraped(prometheus)
    assert value(samples, "slipway_workloads", status="running") == 1
    assert value(samples, "slipway_operations_due") == 0
    used = value(samples, "slipway_node_capacity_used", resource="cores", **{"class": "cloud"})
    assert 0 < used <= value(samples, "slipway_node_capacity", resource="cores", **{"class": "cloud"})
    for phase in ("wait", "plan", "apply", "verify", "total"):
        name = "slipway_operation_seconds_count"
        assert value(samples, name, kind="apply", phase=phase, outcome="succeeded") == 1
    assert value(samples, "slipway_ledger_cents", kind="payment") > 0
    assert value(samples, "slipway_ledger_mismatch_cents", currency="eur") == 0


def test_an_operation_that_waits_is_due(shop: Shop, prometheus: httpx.Client) -> None:
    """Nobody has taken it yet; how long it waits is told too."""
    shop.place_paid()
    samples = scraped(prometheus)
    assert value(samples, "slipway_operations_due") == 1
    assert value(samples, "slipway_operations_active", kind="apply", status="queued") == 1
    assert value(samples, "slipway_operation_oldest_due_seconds") >= 0


def test_without_a_token_that_may_read_nothing_is_told(api: Api) -> None:
    """Figures of money are nobody else's business."""
    assert api.client().get("/metrics").status_code == 401
    assert api.customer().token_client().get("/metrics").status_code == 403


def test_a_node_that_is_retired_has_nothing_to_sell(shop: Shop, prometheus: httpx.Client) -> None:
    """One that is drained is told of by its state: it keeps its guests, and its room is nobody's."""

    def change(session: Session) -> None:
        for name, state in (("game-1", NodeState.RETIRED), ("bot-1", NodeState.DRAINING)):
            session.execute(update(Node).where(Node.name == name).values(state=state))

    shop.change(change)
    told = {
        (dict(labels)["node"], dict(labels)["state"])
        for name, labels in scraped(prometheus)
        if name == "slipway_node_capacity"
    }
    assert told == {("cloud-1", "active"), ("bot-1", "draining")}


def test_the_ledger_is_read_once_a_minute(shop: Shop) -> None:
    """It grows for ever, and a scrape comes every few seconds."""
    now = [0.0]
    rows = RowMetrics(shop.database, lambda: now[0])
    statements: list[str] = []
    event.listen(shop.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    def reads() -> int:
        statements.clear()
        list(rows.collect())
        return sum(LedgerEntry.__tablename__ in text for text in statements)

    asked = []
    for now[0] in (0.0, 59.0, 60.0):
        asked.append(reads())
    assert asked == [2, 0, 2]


def test_machines_are_counted_by_class_and_state(stable: Stable, prometheus: httpx.Client) -> None:
    """What can be sold, what is in use, and what needs a person."""
    for state in (MachineState.AVAILABLE, MachineState.AVAILABLE, MachineState.QUARANTINE):
        stable.add(state)
    samples = scraped(prometheus)
    assert value(samples, "slipway_machines", state="available", **{"class": "ax41"}) == 2
    assert value(samples, "slipway_machines", state="quarantine", **{"class": "ax41"}) == 1
