"""Scans of a stocked shop's nodes, on a real PostgreSQL and a fake world."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, text

from api.alerts.models import Alert, AlertKind
from api.drift.expectations import Expectations
from api.drift.facts import ListedGuest
from api.drift.models import DriftIgnore, DriftKind, FindingStatus, Resolution, ScanRun, Severity
from api.drift.runs import ScanRuns
from api.operations.leases import Leases
from automation.operations.guests import GuestFacts, NodeAccess
from tests.fixtures.drift import DriftRig


def test_a_world_that_agrees_has_no_findings(drift_rig: DriftRig) -> None:
    """Each kind of workload, right after its delivery."""
    drift_rig.delivered()
    drift_rig.delivered(product="game-server", size="small", template="minecraft-java", ssh_keys=[])
    assert drift_rig.scan() == 2
    assert drift_rig.findings(live=False) == []


def test_a_guest_deleted_by_hand_is_found_by_one_scan(drift_rig: DriftRig) -> None:
    """F40: out-of-band delete. A warning at the first look, critical at the second; nothing is made again."""
    order_id = drift_rig.delivered()
    drift_rig.delete_guest(order_id)
    operations = drift_rig.desk.kinds(order_id)
    drift_rig.scan()
    first = drift_rig.finding()
    drift_rig.scan()
    second = drift_rig.finding()
    assert (first.kind, first.severity, first.sightings) == (DriftKind.MISSING, Severity.WARNING, 1)
    assert (second.id, second.severity, second.sightings) == (first.id, Severity.CRITICAL, 2)
    assert drift_rig.desk.kinds(order_id) == operations


def test_a_guest_switched_off_by_hand_is_found_by_one_scan(drift_rig: DriftRig) -> None:
    """F40: out-of-band power-off."""
    drift_rig.guests.switch(*drift_rig.where(drift_rig.delivered()), is_running=False)
    drift_rig.scan()
    finding = drift_rig.finding()
    assert (finding.kind, finding.paths) == (DriftKind.POWER, [{"path": "started", "before": True, "after": False}])


def test_a_guest_resized_by_hand_is_found_by_one_scan(drift_rig: DriftRig) -> None:
    """F40: out-of-band resize. What was wanted stands beside what is there."""
    node, vmid = drift_rig.where(drift_rig.delivered())
    drift_rig.guests.shape(node, vmid, cores=4, disk_gib=60)
    drift_rig.scan()
    finding = drift_rig.finding()
    assert finding.kind is DriftKind.CHANGED
    assert {path["path"]: path["after"] for path in finding.paths} == {"resources.cores": 4, "resources.disk_gib": 60}


def test_a_strange_guest_at_our_number_is_never_taken_for_ours(drift_rig: DriftRig) -> None:
    """F36: a VMID taken by a human is a conflict, critical at once, whatever else is like ours."""
    order_id = drift_rig.delivered()
    node, vmid = drift_rig.where(order_id)
    drift_rig.guests.put(node, replace(drift_rig.guests.guests[node, vmid], tags=frozenset({"somebody"})))
    drift_rig.scan()
    finding = drift_rig.finding()
    assert (finding.kind, finding.severity) == (DriftKind.IDENTITY, Severity.CRITICAL)


def test_a_record_edited_by_hand_is_found(drift_rig: DriftRig) -> None:
    """F38: the address that is there stands beside the one that was wanted."""
    order_id = drift_rig.delivered()
    desired = drift_rig.desk.shop.workload(order_id).desired
    fqdn = f"{desired['dns']['label']}.{desired['dns']['zone_name']}"
    drift_rig.records.put(desired["dns"]["zone_id"], fqdn, "A", "198.51.100.7", f"order-{order_id}")
    drift_rig.scan()
    wanted = desired["network"]["ipv4"]["address"]
    assert drift_rig.finding().paths == [{"path": "dns.A", "before": wanted, "after": "198.51.100.7"}]


def test_records_that_cannot_be_read_are_neither_missed_nor_healed(drift_rig: DriftRig) -> None:
    """A DNS provider that is away says nothing about its records."""
    order_id = drift_rig.delivered()
    drift_rig.records.is_reachable = False
    drift_rig.scan()
    assert drift_rig.findings() == []
    drift_rig.records.is_reachable = True
    drift_rig.records.zones.clear()
    drift_rig.scan()
    drift_rig.records.is_reachable = False
    drift_rig.guests.shape(*drift_rig.where(order_id), cores=4)
    drift_rig.scan()
    assert {path["path"] for path in drift_rig.finding().paths} == {"dns.A", "dns.AAAA", "resources.cores"}


def test_a_copy_of_a_guest_is_found_wherever_it_is(drift_rig: DriftRig) -> None:
    """A clone made by hand bears our tags; once it is gone, so is the finding."""
    order_id = drift_rig.delivered()
    original = drift_rig.guests.guests[drift_rig.where(order_id)]
    drift_rig.guests.put("game-1", replace(original, vmid=120))
    drift_rig.scan()
    finding = drift_rig.finding()
    assert finding.kind is DriftKind.UNEXPECTED
    assert finding.paths == [{"path": "copies", "before": None, "after": "game-1/120"}]
    del drift_rig.guests.guests["game-1", 120]
    drift_rig.scan()
    assert drift_rig.findings() == []


def test_strangers_and_templates_are_nobodys_business(drift_rig: DriftRig) -> None:
    """A guest without our tag is foreign, whatever its number."""
    drift_rig.guests.put("cloud-1", GuestFacts(100_777, "theirs", is_running=True, tags=frozenset()))
    drift_rig.guests.put("cloud-1", GuestFacts(9000, "debian", is_running=False, tags=frozenset({"slipway"})))
    drift_rig.guests.shape("cloud-1", 9000, is_template=True)
    drift_rig.scan()
    assert drift_rig.findings() == []


def test_a_finding_is_resolved_when_the_next_scan_agrees(drift_rig: DriftRig) -> None:
    """Somebody switched it on again."""
    place = drift_rig.where(drift_rig.delivered())
    drift_rig.guests.switch(*place, is_running=False)
    drift_rig.scan()
    drift_rig.guests.switch(*place, is_running=True)
    drift_rig.scan()
    (finding,) = drift_rig.findings(live=False)
    assert (finding.status, finding.resolution) == (FindingStatus.RESOLVED, Resolution.HEALED)
    assert finding.resolved_at is not None


def test_a_workload_with_an_operation_under_way_is_left_alone(drift_rig: DriftRig) -> None:
    """What an operation is changing is no drift, whether it waits or works."""
    order_id = drift_rig.delivered()
    drift_rig.desk.power(order_id, started=False)
    drift_rig.delete_guest(order_id)
    drift_rig.scan()
    drift_rig.desk.begun(order_id)
    drift_rig.scan()
    assert drift_rig.findings() == []


def test_an_operation_that_ends_during_the_look_makes_its_word_worthless(drift_rig: DriftRig) -> None:
    """The list is from before, the rows from after: the workload is checked again before a finding is written."""
    order_id = drift_rig.delivered()
    drift_rig.delete_guest(order_id)
    guests = _SlowList(drift_rig)
    node = drift_rig.desk.shop.workload(order_id).guest_node_id
    with ThreadPoolExecutor(1) as pool:
        scan = pool.submit(drift_rig.scanner().run, [node])
        assert guests.is_listing.wait(30)
        drift_rig.desk.power(order_id, started=False)
        lease = drift_rig.desk.begun(order_id)
        drift_rig.desk.end(lease, is_running=False)
        guests.may_answer.set()
        scan.result(30)
    assert drift_rig.findings() == []


class _SlowList:
    """Makes the rig's guests answer their list only when told to."""

    def __init__(self, rig: DriftRig) -> None:
        self.is_listing, self.may_answer = threading.Event(), threading.Event()
        self._answer = rig.guests.listing
        rig.guests.listing = self  # type: ignore[method-assign] # the fake's own answer, held back

    def __call__(self, node: NodeAccess) -> list[ListedGuest]:
        self.is_listing.set()
        assert self.may_answer.wait(30)
        return self._answer(node)


def test_a_cancelled_workloads_finding_is_obsolete(drift_rig: DriftRig) -> None:
    """Nobody has to look at it any more."""
    order_id = drift_rig.delivered()
    drift_rig.delete_guest(order_id)
    drift_rig.scan()
    drift_rig.desk.cancel(order_id)
    drift_rig.desk.end(drift_rig.desk.begun(order_id))
    drift_rig.scan()
    (finding,) = drift_rig.findings(live=False)
    assert (finding.status, finding.resolution) == (FindingStatus.RESOLVED, Resolution.OBSOLETE)


def test_a_node_that_does_not_answer_loses_no_guest(drift_rig: DriftRig) -> None:
    """Its scan ends with the error, and nothing is concluded."""
    drift_rig.delivered()
    drift_rig.guests.is_reachable = False
    assert drift_rig.scan() == 0
    assert drift_rig.findings() == []
    assert all("did not answer" in (run.error or "") for run in drift_rig.desk.shop.all(ScanRun))


def test_what_staff_ignores_stays_known_but_not_open(drift_rig: DriftRig) -> None:
    """A rule for one path of one workload; another difference beside it opens the finding again."""
    order_id = drift_rig.delivered()
    workload = drift_rig.desk.shop.workload(order_id)
    place = drift_rig.where(order_id)
    rule = DriftIgnore(
        workload_id=workload.id, path_pattern="resources.cores", created_by=workload.owner_id, reason="a gift"
    )
    drift_rig.desk.shop.change(lambda session: session.add(rule))
    drift_rig.guests.shape(*place, cores=4)
    drift_rig.scan()
    assert drift_rig.finding().status is FindingStatus.IGNORED
    drift_rig.guests.shape(*place, memory_mib=9999)
    drift_rig.scan()
    assert drift_rig.finding().status is FindingStatus.OPEN


def test_nodes_are_looked_at_in_their_turn(drift_rig: DriftRig) -> None:
    """Each no more often than once in the interval."""
    drift_rig.scanner(drift_scan_seconds=600).run()
    assert sorted(drift_rig.guests.listings) == ["bot-1", "cloud-1", "game-1"]
    drift_rig.scanner(drift_scan_seconds=600).run()
    assert len(drift_rig.guests.listings) == 3
    drift_rig.age_scans(601)
    drift_rig.scanner(drift_scan_seconds=600).run()
    assert len(drift_rig.guests.listings) == 6


def test_a_scan_steps_back_when_an_operation_waits(drift_rig: DriftRig) -> None:
    """Customers come first: no node is asked while work is due."""
    drift_rig.desk.shop.place_paid()
    drift_rig.scanner().run()
    assert drift_rig.guests.listings == []


def test_a_node_is_looked_at_by_one_worker_at_a_time(drift_rig: DriftRig) -> None:
    """The second one goes on to other nodes; a scan whose worker died is given up after some minutes."""
    guests = _SlowList(drift_rig)
    with ThreadPoolExecutor(1) as pool:
        scan = pool.submit(drift_rig.scan)
        assert guests.is_listing.wait(30)
        (claimed,) = drift_rig.desk.shop.all(ScanRun)
        assert drift_rig.scanner().run([claimed.node_id]) == 0
        drift_rig.age_scans(400)
        guests.may_answer.set()
        drift_rig.scanner().run([claimed.node_id])
        scan.result(30)
    first = next(run for run in drift_rig.desk.shop.all(ScanRun) if run.id == claimed.id)
    assert first.ended_at is not None
    assert len([run for run in drift_rig.desk.shop.all(ScanRun) if run.node_id == claimed.node_id]) == 2


@pytest.mark.parametrize("number", [1, 6])
def test_the_number_of_statements_does_not_grow_with_the_guests(drift_rig: DriftRig, number: int) -> None:
    """All of a node's workloads have gone: so many findings are written, in as many statements as one."""
    for _ in range(number):
        drift_rig.delete_guest(drift_rig.delivered())
    statements: list[str] = []
    engine = drift_rig.desk.shop.database.engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    drift_rig.scan()
    drift_rig.scan()
    assert len(drift_rig.findings()) == number
    assert len(statements) <= 75, "\n".join(statements)


def _alerts(rig: DriftRig) -> list[tuple[AlertKind, str, bool]]:
    return [(one.kind, one.subject_type, one.resolved_at is None) for one in rig.desk.shop.all(Alert)]


def test_a_critical_finding_raises_one_alert_which_ends_with_it(drift_rig: DriftRig) -> None:
    """A guest that is missed for certain; it is back later."""
    order_id = drift_rig.delivered()
    drift_rig.delete_guest(order_id)
    drift_rig.scan()
    assert _alerts(drift_rig) == []
    drift_rig.scan()
    drift_rig.scan()
    assert _alerts(drift_rig) == [(AlertKind.DRIFT, "finding", True)]
    drift_rig.place(order_id)
    drift_rig.scan()
    assert _alerts(drift_rig) == [(AlertKind.DRIFT, "finding", False)]


def test_a_node_that_does_not_answer_raises_an_alert_until_it_does(drift_rig: DriftRig) -> None:
    """One for each node."""
    drift_rig.guests.is_reachable = False
    drift_rig.scan()
    assert _alerts(drift_rig) == [(AlertKind.NODE_UNREACHABLE, "node", True)] * 3
    drift_rig.guests.is_reachable = True
    drift_rig.scan()
    assert _alerts(drift_rig) == [(AlertKind.NODE_UNREACHABLE, "node", False)] * 3


def test_a_scan_waits_for_no_lock_that_an_operation_holds_and_holds_none_that_it_wants(drift_rig: DriftRig) -> None:
    """A lease is taken while a node is being claimed, and a node is claimed while a lease is being taken."""
    order_id = drift_rig.delivered()
    drift_rig.desk.power(order_id, started=False)
    workload, operation = drift_rig.desk.shop.workload(order_id), drift_rig.desk.latest(order_id)
    database = drift_rig.desk.shop.database
    with database.transaction() as scanning, database.transaction() as leasing:
        for transaction in (scanning, leasing):
            transaction.session.execute(text("SET LOCAL lock_timeout = '1s'"))
        claim = ScanRuns(scanning.session).claim(workload.guest_node_id, 300)
        lease = Leases(leasing.session, "worker-1", 30).acquire(operation.id, 2)
        assert claim is not None
        assert lease is not None
        ScanRuns(scanning.session).finish(claim)
        assert Expectations(scanning.session).on_node(workload.guest_node_id) == []
