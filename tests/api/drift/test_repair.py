"""Adopting, reverting and ignoring what a scan has found."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.audit.models import AuditRecord
from api.drift.errors import FindingSettled, NotAdoptable, NotRevertible
from api.drift.models import DriftKind, FindingStatus, Resolution
from api.errors import Conflict, InvalidInput, NoCapacity, NotFound
from tests.fixtures.drift import DriftRig


@pytest.fixture
def resized(drift_rig: DriftRig) -> UUID:
    """Return an order whose guest was given more of everything by hand, as a scan has found."""
    order_id = drift_rig.delivered()
    drift_rig.guests.shape(*drift_rig.where(order_id), cores=2, memory_mib=4096, disk_gib=40)
    drift_rig.scan()
    return order_id


def _adopt(rig: DriftRig) -> None:
    finding = rig.finding()
    rig.repair(lambda repair: repair.adopt(finding.id, "the customer asked on the phone"))


def test_adopting_wants_what_is_there(drift_rig: DriftRig, resized: UUID) -> None:
    """By an operation that looks at the world first; its room is held, and the price is the order's."""
    person = drift_rig.desk.shop.customer()
    finding, price = drift_rig.finding(), drift_rig.desk.shop.order(resized).price_cents
    done = drift_rig.repair(lambda repair: repair.adopt(finding.id, "the customer asked"), person)
    workload, operation = drift_rig.desk.shop.workload(resized), drift_rig.desk.latest(resized)
    assert workload.desired["resources"] == {"cores": 2, "memory_mib": 4096, "disk_gib": 40}
    assert (operation.desired, operation.generation) == (workload.desired, workload.generation)
    assert (operation.refreshes, operation.requested_by) == (True, person)
    assert "the customer asked" in operation.reason
    assert drift_rig.desk.shop.room_used()["cloud-1"] == (2, 4096, 40)
    assert (drift_rig.finding().status, drift_rig.finding().operation_id) == (FindingStatus.REPAIRING, operation.id)
    assert drift_rig.desk.shop.order(resized).price_cents == price
    assert "price stays" in done.note


def test_an_adopted_difference_is_resolved_once_the_operation_has_ended(drift_rig: DriftRig, resized: UUID) -> None:
    """The next scan agrees with what is wanted by then."""
    _adopt(drift_rig)
    drift_rig.scan()
    assert drift_rig.finding().status is FindingStatus.REPAIRING
    drift_rig.desk.deliver(resized)
    drift_rig.scan()
    (finding,) = drift_rig.findings(live=False)
    assert (finding.status, finding.resolution) == (FindingStatus.RESOLVED, Resolution.ADOPTED)


def test_a_power_switch_can_be_adopted(drift_rig: DriftRig) -> None:
    """From then on it shall be off."""
    order_id = drift_rig.delivered()
    drift_rig.guests.switch(*drift_rig.where(order_id), is_running=False)
    drift_rig.scan()
    _adopt(drift_rig)
    assert drift_rig.desk.latest(order_id).desired["started"] is False


@pytest.mark.parametrize(
    ("change", "words"),
    [({"disk_gib": 10}, "only ever grown"), ({"cores": 999}, "cores")],
    ids=["a smaller disk", "more cores than a spec may have"],
)
def test_what_cannot_be_wanted_cannot_be_adopted(drift_rig: DriftRig, change: dict[str, Any], words: str) -> None:
    """The error names the field, and nothing has changed."""
    order_id = drift_rig.delivered()
    drift_rig.guests.shape(*drift_rig.where(order_id), **change)
    drift_rig.scan()
    with pytest.raises((NotAdoptable, ValueError), match=words):
        _adopt(drift_rig)
    assert drift_rig.desk.kinds(order_id) == [("apply", "succeeded")]
    assert drift_rig.finding().status is FindingStatus.OPEN


def test_more_than_the_node_has_cannot_be_adopted(drift_rig: DriftRig) -> None:
    """The books must not show more than there is."""
    order_id = drift_rig.delivered()
    drift_rig.guests.shape(*drift_rig.where(order_id), memory_mib=900_000)
    drift_rig.scan()
    with pytest.raises(NoCapacity, match="memory_mib"):
        _adopt(drift_rig)
    assert drift_rig.desk.shop.workload(order_id).desired["resources"]["memory_mib"] == 2048


def test_a_record_of_another_address_cannot_be_adopted(drift_rig: DriftRig) -> None:
    """An order cannot ask for an address that it does not hold."""
    drift_rig.delivered()
    drift_rig.records.zones.clear()
    drift_rig.scan()
    with pytest.raises(NotAdoptable, match=r"dns\.A"):
        _adopt(drift_rig)


def test_a_strangers_guest_is_neither_adopted_nor_reverted(drift_rig: DriftRig) -> None:
    """F36: a refreshing engine would take it for ours."""
    order_id = drift_rig.delivered()
    node, vmid = drift_rig.where(order_id)
    drift_rig.guests.put(
        node, type(drift_rig.guests.guests[node, vmid])(vmid, "theirs", is_running=True, tags=frozenset())
    )
    drift_rig.scan()
    finding = drift_rig.finding()
    assert finding.kind is DriftKind.IDENTITY
    with pytest.raises(NotAdoptable, match="not ours to adopt"):
        _adopt(drift_rig)
    with pytest.raises(NotRevertible, match="does not bear our tags"):
        drift_rig.repair(lambda repair: repair.revert(finding.id, "no", accepts_data_loss=True))


def test_reverting_wants_the_same_once_more(drift_rig: DriftRig, resized: UUID) -> None:
    """What is desired stays; the operation looks at the world before it decides what to change."""
    finding, before = drift_rig.finding(), drift_rig.desk.shop.workload(resized).desired
    drift_rig.repair(lambda repair: repair.revert(finding.id, "they pay for the small one"))
    operation = drift_rig.desk.latest(resized)
    assert (operation.kind, operation.desired, operation.refreshes) == ("apply", before, True)
    assert drift_rig.finding().resolution is Resolution.REVERTED


def test_a_repair_that_has_not_helped_opens_the_finding_again(drift_rig: DriftRig, resized: UUID) -> None:
    """The operation has ended and the world is as it was."""
    finding = drift_rig.finding()
    drift_rig.repair(lambda repair: repair.revert(finding.id, "try"))
    drift_rig.desk.deliver(resized)
    drift_rig.scan()
    assert (drift_rig.finding().status, drift_rig.finding().resolution) == (FindingStatus.OPEN, None)


def test_a_guest_that_is_gone_is_only_built_anew_if_that_is_said(drift_rig: DriftRig) -> None:
    """F40: never a silent re-creation of what held data."""
    order_id = drift_rig.delivered()
    drift_rig.delete_guest(order_id)
    drift_rig.scan()
    finding = drift_rig.finding()
    with pytest.raises(NotRevertible, match="accepts_data_loss"):
        drift_rig.repair(lambda repair: repair.revert(finding.id, "make it again"))
    assert drift_rig.desk.kinds(order_id) == [("apply", "succeeded")]
    drift_rig.repair(lambda repair: repair.revert(finding.id, "the customer knows", accepts_data_loss=True))
    assert drift_rig.desk.latest(order_id).refreshes
    assert not drift_rig.desk.latest(order_id).has_consent


def test_ignoring_lasts_as_long_as_was_said(drift_rig: DriftRig, resized: UUID) -> None:
    """Then the finding is open again."""
    finding = drift_rig.finding()
    drift_rig.repair(lambda repair: repair.ignore(finding.id, "until Friday", datetime.now(UTC) - timedelta(days=1)))
    assert drift_rig.finding().status is FindingStatus.IGNORED
    drift_rig.scan()
    assert drift_rig.finding().status is FindingStatus.OPEN
    drift_rig.repair(lambda repair: repair.ignore(finding.id, "for good"))
    drift_rig.scan()
    assert drift_rig.finding().status is FindingStatus.IGNORED
    assert drift_rig.desk.kinds(resized) == [("apply", "succeeded")]


def test_a_pattern_that_fits_nothing_is_refused(drift_rig: DriftRig, resized: UUID) -> None:
    """A mistyped rule would be found out too late."""
    finding = drift_rig.finding()
    with pytest.raises(InvalidInput, match="path_pattern"):
        drift_rig.repair(lambda repair: repair.ignore(finding.id, "typo", path_pattern="resource.*"))
    assert drift_rig.desk.kinds(resized)[0] == ("apply", "succeeded")


def test_a_finding_is_decided_about_once(drift_rig: DriftRig, resized: UUID) -> None:
    """A second decision finds the operation of the first under way, or the finding resolved."""
    finding = drift_rig.finding()
    _adopt(drift_rig)
    with pytest.raises((Conflict, FindingSettled)):
        drift_rig.repair(lambda repair: repair.revert(finding.id, "the other way"))
    drift_rig.desk.deliver(resized)
    drift_rig.scan()
    for decide in (lambda repair: repair.adopt(finding.id, "again"), lambda repair: repair.ignore(finding.id, "again")):
        with pytest.raises(FindingSettled, match="resolved"):
            drift_rig.repair(decide)
    with pytest.raises(NotFound):
        drift_rig.repair(lambda repair: repair.adopt(uuid4(), "nothing"))


def test_a_workload_with_an_operation_under_way_is_not_repaired(drift_rig: DriftRig, resized: UUID) -> None:
    """It would be decided about a world that is changing."""
    finding = drift_rig.finding()
    drift_rig.desk.power(resized, started=False)
    with pytest.raises(Conflict, match="under way"):
        drift_rig.repair(lambda repair: repair.revert(finding.id, "now"))


def test_every_decision_is_recorded(drift_rig: DriftRig, resized: UUID) -> None:
    """Who, why, and what was decided about."""
    finding, person = drift_rig.finding(), drift_rig.desk.shop.customer()
    drift_rig.repair(lambda repair: repair.ignore(finding.id, "a gift"), person)
    drift_rig.repair(lambda repair: repair.adopt(finding.id, "they asked"), person)
    found = {row.action: row for row in drift_rig.desk.shop.all(AuditRecord) if row.action.startswith("drift.")}
    assert found.keys() == {"drift.ignore", "drift.adopt"}
    assert "they asked" in found["drift.adopt"].reason
    assert drift_rig.desk.kinds(resized)[0] == ("apply", "succeeded")
