"""The stacks' record in Inventory against the real API, without an engine: every call of its provider."""

from typing import Any

import httpx
import pytest
from pulumi.runtime import rpc

from api.auth.models import Role
from components.api_calls import TRIES
from components.inventory.client import Inventory
from components.inventory.errors import InventoryError, InventoryRefused, InventoryUnreachable
from components.inventory.record_provider import InventoryRecordProvider
from tests.factories.reports import NODES, network_report, nodes_report, reported_node
from tests.fixtures.inventory import ToldInventory


@pytest.fixture
def provider(inventory: ToldInventory, monkeypatch: pytest.MonkeyPatch) -> InventoryRecordProvider:
    """Return the provider as the engine's process makes it, with an Inventory that knows the site."""
    inventory.told(network_report())
    monkeypatch.setenv("SLIPWAY_INVENTORY_URL", inventory.api.url)
    monkeypatch.setenv("SLIPWAY_INVENTORY_TOKEN", inventory.token)
    return InventoryRecordProvider()


def as_floats(value: Any) -> Any:
    """A document as the engine hands it over."""
    if isinstance(value, dict):
        return {name: as_floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def checked(provider: InventoryRecordProvider, report: dict[str, Any], olds: dict[str, Any] | None = None) -> Any:
    """What the engine goes on with."""
    return provider.check(olds or {}, {"report": as_floats(report)})


def test_a_record_is_made_read_changed_and_withdrawn(
    provider: InventoryRecordProvider, inventory: ToldInventory
) -> None:
    """What is read is what was told, so that nothing seems to have changed."""
    inputs = checked(provider, nodes_report()).inputs
    made = provider.create(inputs)
    assert made.outs is not None
    seen = provider.read(NODES, made.outs)
    assert (made.id, seen.id, seen.outs) == (NODES, NODES, made.outs)
    assert not provider.diff(NODES, as_floats(made.outs), as_floats(inputs)).changes
    changed = checked(provider, nodes_report(reported_node(bridge="vmbr7")), inputs).inputs
    assert provider.diff(NODES, made.outs, changed).changes
    updated = provider.update(NODES, made.outs, changed)
    assert updated.outs is not None
    assert updated.outs["report"]["nodes"][0]["bridge"] == "vmbr7"
    for _ in range(2):
        provider.delete(NODES, updated.outs)
    assert (provider.read(NODES, {}).id, inventory.states()) == (None, {"cloud-1": "retired"})


def test_a_refusal_is_seen_before_anything_is_done(provider: InventoryRecordProvider, inventory: ToldInventory) -> None:
    """In the check, and again in update and delete, for an order may come between."""
    inputs = checked(provider, nodes_report()).inputs
    made = provider.create(inputs)
    assert made.outs is not None
    inventory.deposit()
    workload = inventory.shop.workload(inventory.shop.place())
    without = nodes_report(nodes=[], hosts=[])
    (failure,) = checked(provider, without, inputs).failures
    assert (failure.property, f"VMID {workload.vmid}" in failure.reason) == ("report", True)
    for attempt in (lambda: provider.update(NODES, made.outs, {"report": without}), lambda: provider.delete(NODES, {})):
        with pytest.raises(InventoryRefused, match=rf"{workload.name} \(VMID {workload.vmid}\) of .*, on node cloud-1"):
            attempt()
    assert inventory.states() == {"cloud-1": "active"}


def test_what_is_not_known_yet_is_not_asked_about(provider: InventoryRecordProvider) -> None:
    """The first preview of a stack: an address is known once its machine is there."""
    result = checked(provider, nodes_report(reported_node(endpoint=rpc.UNKNOWN)))
    assert result.failures == []
    assert provider.diff(NODES, {}, result.inputs).changes


def test_a_wrong_report_is_told_by_its_field(provider: InventoryRecordProvider) -> None:
    """As any input of a resource is."""
    (failure,) = checked(provider, nodes_report(reported_node(cores=0))).failures
    assert failure.property == "report.nodes.0.cores"


def test_a_token_for_something_else_is_said(
    provider: InventoryRecordProvider, inventory: ToldInventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the scope that it lacks and how to get one."""
    metrics = inventory.api.staff(Role.OPERATOR).token_client("inventory:read").headers["Authorization"]
    monkeypatch.setenv("SLIPWAY_INVENTORY_TOKEN", metrics.removeprefix("Bearer "))
    (failure,) = checked(provider, nodes_report()).failures
    assert "'inventory:sync' (missing_scope): SLIPWAY_INVENTORY_TOKEN" in failure.reason
    monkeypatch.delenv("SLIPWAY_INVENTORY_TOKEN")
    with pytest.raises(InventoryError, match="SLIPWAY_INVENTORY_TOKEN: Field required"):
        provider.read(NODES, {})


class Door(httpx.BaseTransport):
    """In front of the real API; shut for the first so many requests, as while it is started anew."""

    def __init__(self, times: int) -> None:
        self.shut_for, self.knocks = times, 0
        self._open = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, or refuse the connection."""
        self.knocks += 1
        if self.knocks <= self.shut_for:
            raise httpx.ConnectError("connection refused", request=request)
        return self._open.handle_request(request)

    def close(self) -> None:
        """Close what is open."""
        self._open.close()


@pytest.mark.parametrize(("times", "arrives"), [(TRIES - 1, True), (TRIES, False)])
def test_an_api_that_is_away_for_seconds_is_waited_for(inventory: ToldInventory, times: int, *, arrives: bool) -> None:
    """For about half a minute; then the sentence says what to look at."""
    pauses: list[float] = []
    door = Door(times)
    with httpx.Client(base_url=f"{inventory.api.url}/v1", headers=inventory.sync.headers, transport=door) as http:
        client = Inventory(http, pauses.append)
        if arrives:
            assert client.put_stack(network_report())["changes"]
        else:
            with pytest.raises(InventoryUnreachable, match=r"did not answer .* is SLIPWAY_INVENTORY_URL right"):
                client.put_stack(network_report())
    assert len(pauses) == TRIES - 1
    assert 15 <= sum(pauses) <= 40
