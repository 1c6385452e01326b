"""The sweep both ways, and removals: only what is ours, was seen twice and somebody has decided about."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from api.audit.models import AuditRecord
from api.drift.errors import NotRemovable
from api.drift.models import OrphanKind, OrphanSighting, OrphanStatus
from api.drift.orphans import Orphans
from api.errors import NotFound
from api.ipam.models import Address, AddressState
from api.jobs import Job
from api.workloads.models import Workload, WorkloadStatus
from automation.operations.guests import GuestFacts
from tests.fixtures.drift import DriftRig

LIFETIME = 3600.0
_OURS = frozenset({"slipway", "order-01932c07-0000-7000-9000-000000000001"})


def _leftover(rig: DriftRig, vmid: int = 100_900, tags: frozenset[str] = _OURS) -> None:
    rig.guests.put("cloud-1", GuestFacts(vmid, "leftover", is_running=True, tags=tags))


def _confirm(rig: DriftRig) -> None:
    rig.sweeper().run()
    rig.age_orphans(LIFETIME)
    rig.sweeper().run()


def _request(rig: DriftRig, orphan_id: UUID, by: UUID | None = None) -> OrphanSighting:
    return rig.desk.shop.change(
        lambda session: Orphans(session).request_removal(orphan_id, by or rig.desk.shop.customer(), "left behind")
    )


def test_a_world_that_agrees_has_no_orphans(drift_rig: DriftRig) -> None:
    """Delivered, ordered, and in the making."""
    drift_rig.delivered()
    drift_rig.desk.shop.place()
    drift_rig.place(drift_rig.desk.shop.place_paid())
    drift_rig.sweeper().run()
    assert drift_rig.orphans() == []


def test_a_guest_that_no_row_knows_is_seen_and_then_confirmed(drift_rig: DriftRig) -> None:
    """Twice within an operation's lifetime is not enough; nothing is deleted."""
    _leftover(drift_rig)
    drift_rig.sweeper().run()
    drift_rig.sweeper().run()
    (seen,) = drift_rig.orphans()
    assert (seen.kind, seen.place, seen.vmid, seen.sightings) == (OrphanKind.GUEST_WITHOUT_ROW, "cloud-1", 100_900, 2)
    assert seen.status is OrphanStatus.SEEN
    drift_rig.age_orphans(LIFETIME)
    drift_rig.sweeper().run()
    (confirmed,) = drift_rig.orphans()
    assert (confirmed.id, confirmed.status) == (seen.id, OrphanStatus.CONFIRMED)
    assert ("cloud-1", 100_900) in drift_rig.guests.guests
    assert drift_rig.desk.shop.jobs.of(Job.REMOVE_ORPHAN) == []


def test_a_row_whose_guest_is_absent_is_seen(drift_rig: DriftRig) -> None:
    """It is no orphan that can be removed: a customer's workload hangs on it."""
    order_id = drift_rig.delivered()
    drift_rig.delete_guest(order_id)
    _confirm(drift_rig)
    (orphan,) = drift_rig.orphans()
    assert (orphan.kind, orphan.workload_id) == (
        OrphanKind.ROW_WITHOUT_GUEST,
        drift_rig.desk.shop.workload(order_id).id,
    )
    with pytest.raises(NotRemovable, match="customer's workload"):
        _request(drift_rig, orphan.id)


def test_what_is_not_seen_again_is_gone(drift_rig: DriftRig) -> None:
    """Somebody has tidied up by hand."""
    _leftover(drift_rig)
    drift_rig.sweeper().run()
    drift_rig.guests.guests.clear()
    drift_rig.sweeper().run()
    assert [orphan.status for orphan in drift_rig.orphans()] == [OrphanStatus.GONE]


def test_a_node_or_zone_that_does_not_answer_says_nothing(drift_rig: DriftRig) -> None:
    """Its orphans are neither seen again nor gone."""
    _leftover(drift_rig)
    zone = drift_rig.desk.shop.workload(drift_rig.delivered()).desired["dns"]["zone_id"]
    drift_rig.records.put(zone, "old.play.example", "A", "203.0.113.9", f"order-{uuid4()}")
    drift_rig.sweeper().run()
    drift_rig.guests.is_reachable = drift_rig.records.is_reachable = False
    drift_rig.sweeper().run()
    assert [(orphan.status, orphan.sightings) for orphan in drift_rig.orphans()] == [(OrphanStatus.SEEN, 1)] * 2


def test_a_guest_without_our_tag_is_nobodys_orphan(drift_rig: DriftRig) -> None:
    """Not even in our range of numbers."""
    _leftover(drift_rig, tags=frozenset({"somebody"}))
    _confirm(drift_rig)
    assert drift_rig.orphans() == []


@pytest.mark.parametrize(
    ("vmid", "tags", "words"),
    [
        (120, _OURS, "not one that we give out"),
        (100_900, frozenset({"slipway"}), "does not bear our tags"),
    ],
    ids=["a number of somebody's", "no order's tag"],
)
def test_what_may_not_be_ours_is_never_removed(
    drift_rig: DriftRig, vmid: int, tags: frozenset[str], words: str
) -> None:
    """Both the tags and the range of numbers must be ours, whoever asks, and whatever the setting says."""
    _leftover(drift_rig, vmid, tags)
    _confirm(drift_rig)
    drift_rig.sweeper(orphans_removed_automatically=True).run()
    (orphan,) = drift_rig.orphans()
    with pytest.raises(NotRemovable, match=words):
        _request(drift_rig, orphan.id)
    assert ("cloud-1", vmid) in drift_rig.guests.guests


def test_one_sighting_is_not_enough_to_remove(drift_rig: DriftRig) -> None:
    """The row may just be on its way."""
    _leftover(drift_rig)
    drift_rig.sweeper().run()
    with pytest.raises(NotRemovable, match="not seen for long enough"):
        _request(drift_rig, drift_rig.orphans()[0].id)
    with pytest.raises(NotFound):
        _request(drift_rig, uuid4())


def test_a_confirmed_guest_is_removed_when_a_person_says_so(drift_rig: DriftRig) -> None:
    """Once; who decided is on record, and so is that it was done."""
    _leftover(drift_rig)
    _confirm(drift_rig)
    person = drift_rig.desk.shop.customer()
    orphan = _request(drift_rig, drift_rig.orphans()[0].id, person)
    drift_rig.sweeper().remove(orphan.id)
    drift_rig.sweeper().remove(orphan.id)
    assert drift_rig.guests.guests == {}
    assert drift_rig.orphans()[0].status is OrphanStatus.REMOVED
    records = [row for row in drift_rig.desk.shop.all(AuditRecord) if row.action.startswith("orphan.")]
    assert [row.action for row in records] == ["orphan.remove", "orphan.removed"]
    with pytest.raises(NotRemovable, match="removed"):
        _request(drift_rig, orphan.id)


def test_a_removal_whose_message_was_lost_is_sent_again(drift_rig: DriftRig) -> None:
    """By the next sweep."""
    _leftover(drift_rig)
    _confirm(drift_rig)
    orphan = _request(drift_rig, drift_rig.orphans()[0].id)
    drift_rig.sweeper().run()
    assert drift_rig.desk.shop.jobs.of(Job.REMOVE_ORPHAN) == [(orphan.id,)]


def test_a_guest_whose_tags_have_changed_since_is_left_alone(drift_rig: DriftRig) -> None:
    """It has become somebody's; the reason is kept."""
    _leftover(drift_rig)
    _confirm(drift_rig)
    orphan = _request(drift_rig, drift_rig.orphans()[0].id)
    facts = drift_rig.guests.guests["cloud-1", 100_900]
    drift_rig.guests.put("cloud-1", replace(facts, tags=frozenset({"somebody"})))
    drift_rig.sweeper().remove(orphan.id)
    assert ("cloud-1", 100_900) in drift_rig.guests.guests
    assert "not ours any more" in str(drift_rig.orphans()[0].error)


def test_a_guest_whose_row_has_come_back_is_left_alone(drift_rig: DriftRig) -> None:
    """The database was restored, or the sweep was wrong: the rows are asked once more."""
    order_id = drift_rig.delivered()
    workload = drift_rig.desk.shop.workload(order_id)
    hidden = update(Workload).where(Workload.id == workload.id)
    drift_rig.desk.shop.change(lambda session: session.execute(hidden.values(status=WorkloadStatus.DELETED)))
    _confirm(drift_rig)
    guest = next(one for one in drift_rig.orphans() if one.kind is OrphanKind.GUEST_WITHOUT_ROW)
    _request(drift_rig, guest.id)
    drift_rig.desk.shop.change(lambda session: session.execute(hidden.values(status=WorkloadStatus.RUNNING)))
    drift_rig.sweeper().remove(guest.id)
    assert drift_rig.where(order_id) in drift_rig.guests.guests


def test_a_node_that_does_not_answer_keeps_the_removal_open(drift_rig: DriftRig) -> None:
    """It can be asked for again; the error stands beside it."""
    _leftover(drift_rig)
    _confirm(drift_rig)
    orphan = _request(drift_rig, drift_rig.orphans()[0].id)
    drift_rig.guests.is_reachable = False
    drift_rig.sweeper().remove(orphan.id)
    (kept,) = drift_rig.orphans()
    assert (kept.status, "did not answer" in str(kept.error)) == (OrphanStatus.CONFIRMED, True)


def test_confirmed_orphans_go_by_themselves_where_the_operator_wants_it(drift_rig: DriftRig) -> None:
    """Off by default."""
    _leftover(drift_rig)
    _confirm(drift_rig)
    drift_rig.sweeper(orphans_removed_automatically=True).run()
    ((orphan_id,),) = drift_rig.desk.shop.jobs.of(Job.REMOVE_ORPHAN)
    drift_rig.sweeper().remove(UUID(str(orphan_id)))
    assert drift_rig.guests.guests == {}


def test_a_record_of_an_order_that_is_gone_is_found_and_removed(drift_rig: DriftRig) -> None:
    """By the comment that names the order; records of others in the zone are never touched."""
    zone = drift_rig.desk.shop.workload(drift_rig.delivered()).desired["dns"]["zone_id"]
    record = drift_rig.records.put(zone, "old.play.example", "A", "203.0.113.9", f"order-{uuid4()}")
    drift_rig.records.put(zone, "www.play.example", "A", "203.0.113.10", "the shop's own page")
    before = len(drift_rig.records.listing(zone))
    _confirm(drift_rig)
    (orphan,) = drift_rig.orphans()
    assert (orphan.kind, orphan.subject) == (OrphanKind.DNS_RECORD_WITHOUT_ROW, record)
    drift_rig.sweeper().remove(_request(drift_rig, orphan.id).id)
    assert len(drift_rig.records.listing(zone)) == before - 1
    assert record not in drift_rig.records.zones[zone]


def test_addresses_of_a_deleted_workload_are_found_and_released(drift_rig: DriftRig) -> None:
    """They rest before somebody else gets them."""
    order_id = drift_rig.delivered()
    workload = drift_rig.desk.shop.workload(order_id)
    drift_rig.guests.guests.clear()
    drift_rig.records.zones.clear()
    gone = update(Workload).where(Workload.id == workload.id).values(status=WorkloadStatus.DELETED)
    drift_rig.desk.shop.change(lambda session: session.execute(gone))
    _confirm(drift_rig)
    orphans = drift_rig.orphans()
    assert {orphan.kind for orphan in orphans} == {OrphanKind.ADDRESS_WITHOUT_GUEST}
    drift_rig.sweeper().remove(_request(drift_rig, orphans[0].id).id)
    held = [one for one in drift_rig.desk.shop.all(Address) if one.state is AddressState.HELD]
    assert held == []
    drift_rig.sweeper().run()
    assert {orphan.status for orphan in drift_rig.orphans()} == {OrphanStatus.REMOVED, OrphanStatus.GONE}
