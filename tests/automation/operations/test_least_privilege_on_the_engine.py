"""The worker's whole path with the token that the ``nodes`` stack makes, and what that token is refused."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer import ProxmoxAPI, ResourceException

from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from tests.factories.orders import BOT, CLOUD_VM, GAME_SERVER
from tests.fixtures.lab_worker import LabWorker
from tests.fixtures.limited_access import limited_token

if TYPE_CHECKING:
    from lab.client import RunningLab

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("nodes", "body"),
    [(("bot-1",), BOT), (("game-1",), GAME_SERVER), (("cloud-1", "cloud-2"), CLOUD_VM)],
    ids=["bot", "game", "cloud"],
)
def test_an_order_is_delivered_rebooted_stopped_and_destroyed_with_no_more_than_the_roles_allow(
    lab_worker: LabWorker, nodes: tuple[str, ...], body: dict[str, Any]
) -> None:
    """Every request of worker, engine and plugin is one that the control plane's roles grant."""
    shop, lab = lab_worker.desk.shop, lab_worker.lab
    estate = json.loads(lab.estate_path.read_text())
    tokens = {name: limited_token(lab, name) for name in nodes}
    for node in estate["nodes"]:
        node["api_token"] = tokens.get(node["name"], node["api_token"])
    shop.stock(estate)
    order_id = shop.place_paid(**body)
    assert lab_worker.run(order_id), shop.history(order_id)
    assert shop.order(order_id).status is OrderStatus.DELIVERED
    lab_worker.desk.reboot(order_id)
    assert lab_worker.run(order_id)
    assert shop.workload(order_id).status is WorkloadStatus.RUNNING
    assert lab_worker.checker().check() == []
    lab_worker.desk.power(order_id, started=False)
    assert lab_worker.run(order_id)
    assert lab_worker.desk.latest(order_id).attempts == 1
    assert shop.workload(order_id).status is WorkloadStatus.STOPPED
    lab_worker.desk.cancel(order_id)
    assert lab_worker.run(order_id)
    assert shop.workload(order_id).status is WorkloadStatus.DELETED
    assert lab.truth.guests() == []


def client(lab: "RunningLab", name: str, token: str) -> ProxmoxAPI:
    """Somebody with this token on a node."""
    from lab.truth import proxmox_client  # noqa: PLC0415 - the SDKs are imported by tests of the lab only

    entry = next(node for node in lab.document.proxmox.nodes if node.name == name)
    return proxmox_client(entry.model_copy(update={"api_token": token}), lab.document.proxmox.ca_file)


def answered(attempt: Callable[[], Any]) -> int:
    """The status of an attempt."""
    try:
        attempt()
    except ResourceException as error:
        return int(error.status_code)
    return 200


def test_what_no_role_grants_is_refused(lab: "RunningLab") -> None:
    """A stolen token makes no user, touches no storage, network or firewall of the host, and spoils no template."""
    api = client(lab, "cloud-1", limited_token(lab, "cloud-1"))
    node = api.nodes("cloud-1")
    refused = [
        lambda: api.access.users.post(userid="thief@pve"),
        lambda: api.access.users("slipway@pve").token("second").post(privsep=0),
        lambda: api.access.roles("SlipwayGuests").put(privs="Sys.Modify"),
        lambda: api.access.acl.put(path="/", roles="Administrator", users="slipway@pve"),
        lambda: api.storage.post(storage="mine", type="dir", path="/root"),
        lambda: api.storage("local-lvm").delete(),
        lambda: api.cluster.firewall.options.put(enable=0),
        lambda: node.firewall.options.put(enable=0),
        lambda: node.network.post(iface="vmbr9", type="bridge"),
        lambda: node.status.post(command="shutdown"),
        lambda: node.qemu(9000).delete(),
        lambda: node.qemu(9000).config.put(memory=4096),
        lambda: api.cluster.metrics.server("spy").post(type="graphite", server="a", port=1),
    ]
    assert [answered(attempt) for attempt in refused] == [403] * len(refused)
    assert {"guests", "storages", "users", "roles", "grants"} == set(lab.truth.node_leftovers("cloud-1"))
    assert [guest.vmid for guest in lab.truth.guests(templates=True) if guest.node == "cloud-1"] == [9000, 9001]
