"""A real Prometheus and a real Alertmanager with the generated configuration, from discovery to the staff's page."""

from tests.fixtures.engine import until
from tests.fixtures.watch import Watch

DOWN = "critical: game-1 (node) does not answer (runbook: https://docs.slipway.example/runbooks/host-down.md)"


def test_a_node_that_stops_becomes_an_alert_for_staff_until_it_is_back(watch: Watch) -> None:
    """Named by Inventory, missed by Prometheus, told by Alertmanager, shown by our API; resolved the same way."""
    up = 'up{job="node"} == 1'
    with watch.node_exporter():
        until(lambda: watch.asked(up) != {})
        (labels,) = watch.asked(up)
        assert dict(labels) == {
            "__name__": "up",
            "job": "node",
            "instance": "game-1/node",
            "host": "game-1",
            "role": "node",
            "site": "fsn",
            "class": "game",
            "estate": "lab",
        }
        until(lambda: watch.alerts() == [])
    until(lambda: watch.alerts() == [DOWN])
    assert "game-1 (node) does not answer" in watch.staff.http.get("/admin/alerts").text
    with watch.node_exporter():
        until(lambda: watch.alerts() == [])


def test_a_node_that_is_retired_is_no_longer_missed(watch: Watch) -> None:
    """Its stack describes another one: Inventory stops naming it, and its alert is over."""
    until(lambda: watch.alerts() == [DOWN])
    with watch.node_exporter():
        watch.tell_of("game-2")
        until(lambda: watch.alerts() == [])
