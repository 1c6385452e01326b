"""Our own figures, scraped by a real Prometheus as it would be in production, raise our own alerts."""

from sqlalchemy import update

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert, resolve
from api.inventory.models import Node
from tests.fixtures.engine import until
from tests.fixtures.watch import Watch

BROKEN = (
    "critical: the audit trail does not verify "
    "(runbook: https://docs.slipway.example/runbooks/audit-verification-fails.md)"
)


def test_the_api_is_found_and_scraped_with_the_token_that_finds_it(watch: Watch) -> None:
    """One token with one scope, from one file, for discovery and for the figures."""
    until(lambda: 1.0 in watch.asked('up{job="api"}').values())
    (labels,) = watch.asked('up{job="api"}')
    assert {"instance": "api-1/api", "host": "api-1", "estate": "lab"}.items() <= dict(labels).items()
    until(lambda: list(watch.asked("slipway_operations_due").values()) == [0.0])
    scraped = 'slipway_http_requests_total{route="metrics",status="200"}'
    until(lambda: any(count > 1 for count in watch.asked(scraped).values()))


def test_rooms_that_are_nearly_sold_out_are_noticed_from_the_rows(watch: Watch) -> None:
    """The rule is true of what Inventory says; it has to be so for a while before it fires."""
    until(lambda: watch.asked("slipway_node_capacity") != {})
    assert watch.evaluated("CapacityNearlySoldOut") == []
    sold = update(Node).values(used_cores=Node.total_cores)
    watch.inventory.shop.change(lambda session: session.execute(sold))
    until(lambda: watch.evaluated("CapacityNearlySoldOut") != [])
    (alert,) = watch.evaluated("CapacityNearlySoldOut")
    assert (alert["class"], alert["resource"], alert["severity"]) == ("game", "cores", "warning")


def test_a_broken_audit_trail_wakes_somebody_by_way_of_a_figure(watch: Watch) -> None:
    """What the checker has found is a row, a figure, a rule's alert, and in the end a message; until it is resolved."""
    change = watch.inventory.shop.change
    change(lambda session: raise_alert(session, AlertKind.AUDIT_BROKEN, "audit", "chain", "Record 7 was edited."))
    until(lambda: BROKEN in watch.alerts())
    change(lambda session: resolve(session, AlertKind.AUDIT_BROKEN, "chain"))
    until(lambda: BROKEN not in watch.alerts())
