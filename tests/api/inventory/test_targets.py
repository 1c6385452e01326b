"""Prometheus' service discovery over HTTP."""

from typing import Any

import httpx

from api.auth.models import Role
from tests.factories.reports import nodes_report, pool_report, reported_node
from tests.fixtures.inventory import ToldInventory


def targets(inventory: ToldInventory, job: str = "") -> list[dict[str, Any]]:
    """Ask as Prometheus does, with a token that can do nothing else."""
    client = inventory.api.staff(Role.SUPPORT).token_client("inventory:read")
    answer = client.get("/v1/inventory/prometheus-targets", params={"job": job} if job else {}).raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def test_nodes_and_hosts_are_targets_with_what_is_known_of_them(inventory: ToldInventory) -> None:
    """Each exporter is one; a node's own API is asked by way of an exporter, under the job 'pve'."""
    inventory.tell_all()
    metal = {"name": "metal-1", "role": "metal", "address": "2001:db8::4", "exporters": {"node": 9100, "ipmi": 9290}}
    inventory.told(pool_report(hosts=[metal]))
    cloud = {"role": "node", "name": "cloud-1", "site": "fsn", "class": "cloud", "estate": "lab"}
    server = {"role": "metal", "name": "metal-1", "site": "fsn", "estate": "lab"}
    assert targets(inventory) == [
        {"targets": ["cloud-1.example:8006"], "labels": {"job": "pve", **cloud}},
        {"targets": ["10.10.16.11:9100"], "labels": {"job": "node", **cloud}},
        {"targets": ["[2001:db8::4]:9290"], "labels": {"job": "ipmi", **server}},
        {"targets": ["[2001:db8::4]:9100"], "labels": {"job": "node", **server}},
    ]
    assert [group["targets"] for group in targets(inventory, "ipmi")] == [["[2001:db8::4]:9290"]]


def test_what_is_retired_is_no_target(inventory: ToldInventory) -> None:
    """Neither the node, nor a host of its name that somebody still tells of."""
    inventory.tell_all()
    kept = nodes_report(reported_node("cloud-2", server_number=None))
    host = {"name": "cloud-1", "role": "node", "address": "10.10.16.11", "exporters": {"node": 9100}}
    inventory.told({**kept, "hosts": [*kept["hosts"], host]})
    assert {group["labels"]["name"] for group in targets(inventory)} == {"cloud-2"}


def test_a_stranger_learns_nothing(inventory: ToldInventory) -> None:
    """Addresses of ours are nobody's business."""
    answer = inventory.api.client().get("/v1/inventory/prometheus-targets")
    assert answer.status_code == httpx.codes.UNAUTHORIZED
