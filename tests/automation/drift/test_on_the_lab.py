"""Changes behind our back, made with the vendors' own clients: the real engine, nodes and zone of the lab.

Kept together in few tests, for each begins with a delivery by the real engine.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from cloudflare import Cloudflare
from proxmoxer.tools import Tasks
from sqlalchemy import update

from api.drift.errors import NotAdoptable, NotRevertible
from api.drift.models import DriftFinding, DriftKind, FindingStatus, OrphanStatus, Resolution, Severity
from api.drift.orphans import Orphans
from api.drift.repair import DriftRepair
from api.inventory.models import Node
from api.operations.models import OperationStatus
from api.state.store import StateStore
from api.workloads.models import Workload, WorkloadStatus
from automation.engine.backend import prepare_state
from automation.engine.client import ProcessEngine
from automation.services import Engines, WorkerServices, build_services
from tests.fixtures.engine import Rig
from tests.fixtures.operations import Desk
from tests.fixtures.runner import worker_settings
from tests.fixtures.shop import LIFETIME_SECONDS, Shop

if TYPE_CHECKING:
    from lab.client import RunningLab

pytestmark = pytest.mark.engine


@dataclass
class World:
    """A worker on the lab, and the hands of somebody who goes around it."""

    lab: "RunningLab"
    desk: Desk
    services: WorkerServices

    def deliver(self, **changes: Any) -> UUID:
        """Order, pay and deliver."""
        order_id = self.desk.shop.place_paid(**changes)
        self.carry_out(order_id)
        return order_id

    def carry_out(self, order_id: UUID) -> None:
        """Have the worker carry out the newest operation, which must succeed."""
        operation = self.desk.latest(order_id)
        assert self.services.operations.run(operation.id)
        done = self.desk.latest(order_id)
        assert done.status is OperationStatus.SUCCEEDED, (done.error_code, done.error_detail)

    def scan(self) -> dict[DriftKind, DriftFinding]:
        """Look at every node once; returns the live findings by kind."""
        self.services.drift.run([node.id for node in self.desk.shop.all(Node)])
        found = self.desk.shop.all(DriftFinding)
        return {one.kind: one for one in found if one.status is not FindingStatus.RESOLVED}

    def decide(self, verb: str, finding: DriftFinding, **more: Any) -> None:
        """Adopt or revert as staff does."""
        person = self.desk.shop.customer()
        self.desk.shop.change(
            lambda session: getattr(DriftRepair(session, LIFETIME_SECONDS, person), verb)(finding.id, "why not", **more)
        )

    def guest(self, order_id: UUID) -> Any:
        """Return the guest's resource at its node."""
        workload = self.desk.shop.workload(order_id)
        node = str(workload.desired["placement"]["node"])
        kind = "qemu" if workload.kind == "cloud_vm" else "lxc"
        return getattr(self.lab.truth.node(node).nodes(node), kind)(workload.vmid)

    def finish(self, order_id: UUID, task: str) -> None:
        """Wait for a task that somebody has begun by hand."""
        node = str(self.desk.shop.workload(order_id).desired["placement"]["node"])
        assert Tasks.blocking_status(self.lab.truth.node(node), task, timeout=20)["exitstatus"] == "OK"

    def point_elsewhere(self, order_id: UUID) -> None:
        """Edit the order's A record by hand."""
        zone, desired = self.lab.document.cloudflare, self.desk.shop.workload(order_id).desired
        name = f"{desired['dns']['label']}.{desired['dns']['zone_name']}"
        with Cloudflare(api_token=zone.api_token, base_url=zone.base_url) as client:
            (record,) = client.dns.records.list(zone_id=zone.zone_id, name={"exact": name}, type="A")
            record_id = str(record.id)
            client.dns.records.edit(
                record_id, zone_id=zone.zone_id, name=name, type="A", content="198.51.100.7", ttl=300
            )


@pytest.fixture
def world(lab: "RunningLab", rig: Rig, shop_on_lab: Shop, database_url: str) -> Iterator[World]:
    """Return a worker with the real engine on the lab's nodes and zone."""
    zone = lab.document.cloudflare
    settings = worker_settings(
        rig.work_root,
        DATABASE_URL=database_url,
        state_database_url=rig.secrets.backend_url,
        cloudflare_api_token=zone.api_token,
        cloudflare_base_url=zone.base_url,
        drift_requests_per_second=100,
    )
    prepare_state(rig.settings.pulumi, rig.secrets.backend_url)
    engine = ProcessEngine(replace(rig.settings, program="automation.engine.programs:workload"))
    services = build_services(settings, Engines(engine, engine), shop_on_lab.jobs, {"program": "1"})
    vault = shop_on_lab.vault
    services = replace(
        services,
        operations=replace(services.operations, vault=vault),
        drift=replace(services.drift, vault=vault),
        examiner=replace(services.examiner, vault=vault),
        orphans=replace(services.orphans, vault=vault),
    )
    yield World(lab, Desk(shop_on_lab), services)
    services.database.close()
    states = services.operations.plans.states
    assert isinstance(states, StateStore)
    states.close()


@pytest.fixture
def shop_on_lab(empty_shop: Shop, lab: "RunningLab") -> Shop:
    """Return a shop that sells what the lab has."""
    empty_shop.stock(json.loads(lab.estate_path.read_text()))
    return empty_shop


def test_a_machine_changed_by_hand_is_found_understood_and_brought_back(world: World) -> None:
    """F40 and F38: resized, switched off, its record edited; one scan finds it, one operation reverts it."""
    order_id = world.deliver()
    assert world.scan() == {}
    guest = world.guest(order_id)
    world.finish(order_id, guest.status.stop.post())
    guest.config.put(cores=3)
    world.point_elsewhere(order_id)
    found = world.scan()
    assert set(found) == {DriftKind.POWER, DriftKind.CHANGED}
    assert {path["path"] for path in found[DriftKind.CHANGED].paths} == {"resources.cores", "dns.A"}
    assert world.services.examiner.run() == 2
    seen = {step["type"].rpartition(":")[2]: step["op"] for step in world.scan()[DriftKind.CHANGED].steps or ()}
    assert seen == {"VmLegacy": "update", "DnsRecord": "update"}
    world.decide("revert", found[DriftKind.CHANGED])
    world.carry_out(order_id)
    assert world.scan() == {}
    assert (guest.config.get()["cores"], guest.status.current.get()["status"]) == (1, "running")
    address = world.desk.shop.workload(order_id).desired["network"]["ipv4"]["address"]
    assert [address] in world.lab.truth.records().values()
    _rebuild(world, order_id)


def _rebuild(world: World, order_id: UUID) -> None:
    """Delete the machine by hand and ask for it anew: nothing is made before a person has agreed to the plan."""
    guest = world.guest(order_id)
    world.finish(order_id, guest.status.stop.post())
    world.finish(order_id, guest.delete(purge=1))
    world.decide("revert", world.scan()[DriftKind.MISSING], accepts_data_loss=True)
    assert world.services.operations.run(world.desk.latest(order_id).id)
    waiting = world.desk.latest(order_id)
    assert (waiting.status, waiting.error_code) == (OperationStatus.AWAITING_APPROVAL, None)
    assert world.lab.truth.guest(world.desk.shop.workload(order_id).vmid) is None


def test_a_disk_grown_by_hand_is_adopted_and_stays(world: World) -> None:
    """F40: nothing is replaced, and from then on it is what is wanted."""
    order_id = world.deliver()
    guest = world.guest(order_id)
    world.finish(order_id, guest.resize.put(disk="scsi0", size="+5G"))
    before = guest.config.get()["smbios1"]
    found = world.scan()[DriftKind.CHANGED]
    assert found.paths == [{"path": "resources.disk_gib", "before": 20, "after": 25}]
    world.decide("adopt", found)
    world.carry_out(order_id)
    assert world.scan() == {}
    assert world.desk.shop.workload(order_id).desired["resources"]["disk_gib"] == 25
    assert ("size=25G" in guest.config.get()["scsi0"], guest.config.get()["smbios1"]) == (True, before)
    (resolved,) = world.desk.shop.all(DriftFinding)
    assert resolved.resolution is Resolution.ADOPTED


def test_a_guest_deleted_by_hand_is_not_made_again_and_its_number_is_not_taken_over(world: World) -> None:
    """F40 and F36: missed by one scan, certain at the next; a stranger at its number is a conflict and stays."""
    order_id = world.deliver(product="bot", size="nano", template="python-bot", ssh_keys=[])
    guest, workload = world.guest(order_id), world.desk.shop.workload(order_id)
    world.finish(order_id, guest.status.stop.post())
    world.finish(order_id, guest.delete(purge=1))
    assert world.scan()[DriftKind.MISSING].severity is Severity.WARNING
    missing = world.scan()[DriftKind.MISSING]
    assert missing.severity is Severity.CRITICAL
    assert world.services.examiner.run() == 1
    with pytest.raises(NotRevertible, match="accepts_data_loss"):
        world.decide("revert", missing)
    assert world.lab.truth.guest(workload.vmid) is None
    node = str(workload.desired["placement"]["node"])
    by_hand = {"ostemplate": "local:vztmpl/python-bot-3.12_amd64.tar.zst", "rootfs": "local-lvm:4", "hostname": "mine"}
    created = world.lab.truth.node(node).nodes(node).lxc.post(vmid=workload.vmid, **by_hand)
    world.finish(order_id, created)
    identity = world.scan()[DriftKind.IDENTITY]
    with pytest.raises(NotRevertible, match="not bear our tags"):
        world.decide("revert", identity, accepts_data_loss=True)
    with pytest.raises(NotAdoptable, match="not ours"):
        world.decide("adopt", identity)
    stranger = world.lab.truth.guest(workload.vmid)
    assert stranger is not None
    assert (stranger.name, stranger.tags) == ("mine", ())


def test_a_guest_and_records_that_no_row_knows_are_removed_once_confirmed(world: World) -> None:
    """The rows are gone, as after a restore of an old backup: what is ours is found, and only that is removed."""
    order_id = world.deliver(product="bot", size="nano", template="python-bot", ssh_keys=[])
    vmid = world.desk.shop.workload(order_id).vmid
    node = str(world.desk.shop.workload(order_id).desired["placement"]["node"])
    hosts = world.lab.truth.node(node).nodes(node)
    by_hand = {"ostemplate": "local:vztmpl/python-bot-3.12_amd64.tar.zst", "rootfs": "local-lvm:4", "hostname": "mine"}
    world.finish(order_id, hosts.lxc.post(vmid=100_500, **by_hand))
    _forget(world, order_id)
    sweep = replace(
        world.services.orphans,
        settings=world.services.settings.model_copy(update={"operation_lifetime_seconds": 0.0}),
    )
    sweep.run()
    sweep.run()
    orphans = world.desk.shop.change(lambda session: [(one.id, one.kind) for one in Orphans(session).confirmed()])
    for orphan_id, _ in orphans:
        _decide(world, orphan_id)
        sweep.remove(orphan_id)
    assert sorted(kind.value for _, kind in orphans) == [
        "address_without_guest",
        "address_without_guest",
        "dns_record_without_row",
        "dns_record_without_row",
        "guest_without_row",
    ]
    statuses = world.desk.shop.change(lambda session: {Orphans(session).locked(one).status for one, _ in orphans})
    assert statuses == {OrphanStatus.REMOVED}
    assert world.lab.truth.guest(vmid) is None
    assert world.lab.truth.guest(100_500) is not None
    assert world.lab.truth.records() == {}


def _forget(world: World, order_id: UUID) -> None:
    rows = update(Workload).where(Workload.order_id == order_id).values(status=WorkloadStatus.DELETED)
    world.desk.shop.change(lambda session: session.execute(rows))


def _decide(world: World, orphan_id: UUID) -> None:
    world.desk.shop.change(lambda session: Orphans(session).request_removal(orphan_id, None, "left by an old backup"))
