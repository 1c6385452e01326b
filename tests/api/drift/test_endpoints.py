"""Drift and orphans by HTTP: who may see, who may decide, and what follows."""

from uuid import uuid4

import pytest

from api.auth.models import Role
from api.drift.models import DriftFinding, OrphanSighting
from api.inventory.models import Node
from api.jobs import Job
from automation.operations.guests import GuestFacts
from tests.fixtures.api import Api, Customer
from tests.fixtures.drift import DriftRig

_OURS = frozenset({"slipway", "order-01932c07-0000-7000-9000-000000000001"})


@pytest.fixture
def operator(api: Api) -> Customer:
    """Return an operator, logged in."""
    return api.staff(Role.OPERATOR)


@pytest.fixture
def finding(drift_rig: DriftRig) -> DriftFinding:
    """Return a finding: a guest has been given more cores by hand."""
    drift_rig.guests.shape(*drift_rig.where(drift_rig.delivered()), cores=2)
    drift_rig.scan()
    return drift_rig.finding()


@pytest.fixture
def orphan(drift_rig: DriftRig) -> OrphanSighting:
    """Return a confirmed orphan."""
    drift_rig.guests.put("cloud-1", GuestFacts(100_900, "leftover", is_running=True, tags=_OURS))
    drift_rig.sweeper().run()
    drift_rig.age_orphans(3600)
    drift_rig.sweeper().run()
    return drift_rig.orphans()[0]


def test_staff_sees_findings(api: Api, finding: DriftFinding) -> None:
    """Support may look: what was wanted stands beside what is there."""
    support = api.staff(Role.SUPPORT).http
    (shown,) = support.get("/v1/admin/drift", params={"status": "open", "severity": "warning"}).json()["items"]
    assert shown["id"] == str(finding.id)
    assert shown["paths"] == [{"path": "resources.cores", "before": 1, "after": 2}]
    assert support.get("/v1/admin/drift", params={"status": "resolved"}).json()["items"] == []
    assert support.get("/v1/admin/drift", params={"workload_id": str(uuid4())}).json()["items"] == []
    assert support.get(f"/v1/admin/drift/{finding.id}").json()["steps"] is None
    assert support.get(f"/v1/admin/drift/{uuid4()}").status_code == 404


def test_support_sees_and_does_not_decide(api: Api, finding: DriftFinding, orphan: OrphanSighting) -> None:
    """Each decision needs an operator."""
    support = api.staff(Role.SUPPORT).http
    paths = [f"drift/{finding.id}/{verb}" for verb in ("adopt", "revert", "ignore")]
    for path in (*paths, "drift/scan", f"orphans/{orphan.id}/remove"):
        answer = support.post(f"/v1/admin/{path}", json={"reason": "because"})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_required"), path


@pytest.mark.parametrize("verb", ["adopt", "revert"])
def test_a_repair_is_an_operation_that_a_worker_is_told_of(
    api: Api, operator: Customer, finding: DriftFinding, verb: str
) -> None:
    """It is in the answer, and was asked for by the operator."""
    answer = operator.http.post(f"/v1/admin/drift/{finding.id}/{verb}", json={"reason": "they asked"})
    assert answer.status_code == 202, answer.text
    operation = answer.json()["operation"]
    assert answer.json()["finding"]["status"] == "repairing"
    assert [str(sent[0]) for sent in api.jobs.of(Job.RUN_OPERATION)] == [operation["id"]]
    again = operator.http.post(f"/v1/admin/drift/{finding.id}/{verb}", json={"reason": "once more"})
    assert again.status_code == 409


def test_a_finding_is_ignored_with_a_reason(drift_rig: DriftRig, operator: Customer, finding: DriftFinding) -> None:
    """A reason must be given; a moment and a pattern may be."""
    url = f"/v1/admin/drift/{finding.id}/ignore"
    assert operator.http.post(url, json={"reason": "  "}).status_code == 422
    assert operator.http.post(url, json={"reason": "x", "path_pattern": "typo"}).json()["code"] == "invalid_input"
    body = {"reason": "a gift", "until": "2099-01-01T00:00:00Z", "path_pattern": "resources.*"}
    assert operator.http.post(url, json=body).json()["kind"] == "changed"
    drift_rig.scan()
    assert drift_rig.finding().status.value == "ignored"


def test_a_gone_guest_needs_the_word_that_its_data_is_lost(drift_rig: DriftRig, operator: Customer) -> None:
    """The problem names the field to set."""
    drift_rig.delete_guest(drift_rig.delivered())
    drift_rig.scan()
    url = f"/v1/admin/drift/{drift_rig.finding().id}"
    refused = operator.http.post(f"{url}/revert", json={"reason": "anew"}).json()
    assert (refused["code"], "accepts_data_loss" in refused["detail"]) == ("not_revertible", True)
    assert operator.http.post(f"{url}/adopt", json={"reason": "gone"}).json()["code"] == "not_adoptable"
    agreed = operator.http.post(f"{url}/revert", json={"reason": "anew", "accepts_data_loss": True})
    assert agreed.status_code == 202


def test_a_scan_can_be_asked_for(api: Api, drift_rig: DriftRig, operator: Customer) -> None:
    """Of one node by its name, or of all."""
    assert operator.http.post("/v1/admin/drift/scan", json={"node": "bot-1"}).json() == {"nodes": ["bot-1"]}
    assert operator.http.post("/v1/admin/drift/scan", json={}).json()["nodes"] == ["bot-1", "cloud-1", "game-1"]
    assert operator.http.post("/v1/admin/drift/scan", json={"node": "nowhere"}).status_code == 404
    names = {node.id: node.name for node in drift_rig.desk.shop.all(Node)}
    asked = [[names[node] for node in sent] for sent in api.jobs.of(Job.SCAN_DRIFT)]  # type: ignore[index] # ids
    assert asked == [["bot-1"], ["bot-1", "cloud-1", "game-1"]]


def test_a_removal_is_a_dry_run_unless_it_is_confirmed(api: Api, operator: Customer, orphan: OrphanSighting) -> None:
    """The first answer says what would be deleted, the second that a worker does it."""
    url = f"/v1/admin/orphans/{orphan.id}/remove"
    planned = operator.http.post(url, json={}).json()
    assert (planned["is_dry_run"], planned["orphan"]["status"]) == (True, "confirmed")
    assert "guest 100900 ('leftover') on node cloud-1" in planned["orphan"]["removes"]
    assert api.jobs.of(Job.REMOVE_ORPHAN) == []
    done = operator.http.post(url, json={"confirm": True, "reason": "left by a test"}).json()
    assert (done["is_dry_run"], done["orphan"]["status"]) == (False, "removing")
    assert api.jobs.of(Job.REMOVE_ORPHAN) == [(orphan.id,)]
    again = operator.http.post(url, json={"confirm": True})
    assert (again.status_code, again.json()["code"]) == (409, "not_removable")


def test_orphans_are_listed_with_what_stands_in_the_way(drift_rig: DriftRig, api: Api) -> None:
    """One sighting is not enough, and the list says so."""
    drift_rig.guests.put("cloud-1", GuestFacts(100_900, "leftover", is_running=True, tags=_OURS))
    drift_rig.sweeper().run()
    support = api.staff(Role.SUPPORT).http
    (shown,) = support.get("/v1/admin/orphans", params={"status": "seen"}).json()["items"]
    assert (shown["vmid"], "not seen for long enough" in shown["refusal"]) == (100_900, True)
    assert support.get("/v1/admin/orphans", params={"status": "gone"}).json()["items"] == []
