"""A real Prometheus and a real Alertmanager with the generated configuration, from discovery to the staff's page."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.auth.models import Role
from api.db.session import Database
from api.settings import Settings
from components.platform.observability.bundle import bundle
from components.platform.observability.delivery import write_files
from components.platform.observability.layout import Layout
from components.platform.observability.units import services
from components.specs.platform.observability import ObservabilitySpec
from tests.fakes.targets import discovery
from tests.fixtures.api import Api, run_api, serve
from tests.fixtures.engine import until
from tests.fixtures.observability import lab_spec
from tests.fixtures.platform_tools import free_ports, serving, tool

TOKEN = "made up"


class Watch:
    """The observability host's programs on loopback, and a node."""

    def __init__(self, api: Api, layout: Layout, folder: Path, stack: ExitStack) -> None:
        self.api = api
        self._layout, self._folder, self._stack = layout, folder, stack
        prometheus, alertmanager, self.node_port = free_ports(3)
        self.groups = [self.group("node", "game-1", self.node_port)]
        inventory = stack.enter_context(serve(discovery(TOKEN, self.groups)))
        self.spec = quick(api.url, inventory, prometheus, alertmanager)
        write_files(bundle(self.spec, layout), Path(layout.configuration))
        self.prometheus = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{prometheus}"))
        self._start("prometheus-alertmanager", alertmanager)
        self._start("prometheus", prometheus)

    @staticmethod
    def group(job: str, name: str, port: int) -> dict[str, Any]:
        """Return a group of targets as Inventory tells it."""
        labels = {"job": job, "role": "node", "name": name, "site": "fsn", "class": "game", "estate": "lab"}
        return {"targets": [f"127.0.0.1:{port}"], "labels": labels}

    def _start(self, name: str, port: int) -> None:
        """Run a service by the command of its drop-in, on loopback only."""
        (service,) = [one for one in services(self.spec, self._layout) if one.name == name]
        arguments = [part.replace("listen-address=:", "listen-address=127.0.0.1:") for part in service.command[1:]]
        log = self._folder / f"{name}.log"
        self._stack.enter_context(serving(f"http://127.0.0.1:{port}/-/ready", log, tool(name), *arguments))

    def node_exporter(self) -> ExitStack:
        """Run the node's exporter until the stack is closed."""
        stack = ExitStack()
        address = f"127.0.0.1:{self.node_port}"
        only_little = ("--collector.disable-defaults", "--collector.loadavg")
        command = (tool("prometheus-node-exporter"), f"--web.listen-address={address}", *only_little)
        stack.enter_context(serving(f"http://{address}/metrics", self._folder / "node.log", *command))
        return stack

    def up(self) -> dict[str, str] | None:
        """Return the labels of the node's series while it is up; None while it is not, or not known."""
        answer = self.prometheus.get("/api/v1/query", params={"query": 'up{job="node"} == 1'}).json()
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found[0]["metric"] if found else None

    def alerts(self) -> list[str]:
        """Return the messages that staff have open from monitoring."""
        query = {"kind": "monitoring"}
        items = self.staff.get("/v1/admin/alerts", params=query).raise_for_status().json()["items"]
        return [item["message"] for item in items]

    @property
    def staff(self) -> httpx.Client:
        """Somebody of the staff."""
        if not hasattr(self, "_staff"):
            self._staff = self.api.staff(Role.SUPPORT).http
        return self._staff


def quick(api_url: str, inventory: str, prometheus: int, alertmanager: int) -> ObservabilitySpec:
    """Return the lab's spec with the least patience, on ports that are free."""
    return lab_spec(
        api_url=inventory,
        alerting={
            "webhooks": [
                {"name": "slipway", "url": f"{api_url}/v1/alertmanager/webhook", "token_file": "alertmanager-token"}
            ],
            "wait_seconds": 1,
            "interval_seconds": 1,
        },
        scrape={"interval_seconds": 1, "timeout_seconds": 1, "evaluation_seconds": 1, "discovery_seconds": 1},
        thresholds={"host_down": 0},
        ports={"prometheus": prometheus, "alertmanager": alertmanager},
        probes=[],
    )


@pytest.fixture
def watch(settings: Settings, database: Database, layout: Layout, tmp_path: Path) -> Iterator[Watch]:
    """Return a running watch with an API that knows its Alertmanager."""
    tokens = SecretStr(Path(layout.secret("alertmanager-token")).read_text())
    with ExitStack() as stack:
        api = stack.enter_context(run_api(settings.model_copy(update={"alertmanager_tokens": tokens}), database))
        yield Watch(api, layout, tmp_path, stack)


def test_a_node_that_stops_becomes_an_alert_for_staff_until_it_is_back(watch: Watch) -> None:
    """Found by discovery, missed by Prometheus, told by Alertmanager, shown by our API; resolved the same way."""
    with watch.node_exporter():
        until(lambda: watch.up() is not None)
        assert watch.up() == {
            "__name__": "up",
            "job": "node",
            "instance": "game-1/node",
            "host": "game-1",
            "role": "node",
            "site": "fsn",
            "class": "game",
            "estate": "lab",
        }
        assert watch.alerts() == []
    message = "critical: game-1 (node) does not answer (runbook: https://docs.slipway.example/runbooks/host-down.md)"
    until(lambda: watch.alerts() == [message])
    assert "game-1 (node) does not answer" in watch.staff.get("/admin/alerts").text
    with watch.node_exporter():
        until(lambda: watch.alerts() == [])


def test_a_node_that_is_retired_is_no_longer_missed(watch: Watch) -> None:
    """Inventory stops naming it, and its alert is over."""
    until(lambda: len(watch.alerts()) == 1)
    watch.groups.clear()
    until(lambda: watch.alerts() == [])
