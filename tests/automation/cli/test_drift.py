"""Staff's word on drift and orphans, from a terminal."""

import pytest

from api.auth.models import Role
from api.drift.models import DriftFinding, FindingStatus, OrphanStatus
from automation.operations.guests import GuestFacts
from tests.automation.cli.conftest import Terminal
from tests.fixtures.api import PASSWORD, Api
from tests.fixtures.drift import DriftRig

_OURS = frozenset({"slipway", "order-01932c07-0000-7000-9000-000000000001"})


@pytest.fixture
def operator(at_api: Terminal, api: Api) -> Terminal:
    """Return a terminal at which an operator is logged in."""
    hired = api.staff(Role.OPERATOR)
    at_api.environment["SLIPWAY_PASSWORD"] = PASSWORD
    at_api.run("login", "--email", hired.email)
    return at_api


@pytest.fixture
def finding(drift_rig: DriftRig) -> DriftFinding:
    """Return a finding: a guest has been given more cores by hand."""
    drift_rig.guests.shape(*drift_rig.where(drift_rig.delivered()), cores=2)
    drift_rig.scan()
    return drift_rig.finding()


def _confirmed_orphan(rig: DriftRig, vmid: int) -> str:
    rig.guests.put("cloud-1", GuestFacts(vmid, "leftover", is_running=True, tags=_OURS))
    rig.sweeper().run()
    rig.age_orphans(3600)
    rig.sweeper().run()
    return str(rig.orphans()[0].id)


def test_drift_is_listed_and_shown(operator: Terminal, finding: DriftFinding) -> None:
    """What was wanted and what is there, in one line."""
    assert "resources.cores: 1 is 2" in operator.run("drift", "list").output
    shown = operator.run("drift", "show", str(finding.id)[-6:]).output
    assert "resources.cores: 1 is 2" in shown
    assert "has not looked closer" in shown
    assert str(finding.id) in operator.run("drift", "show", str(finding.id), "--json").output


def test_no_drift_is_said_in_words(operator: Terminal, drift_rig: DriftRig) -> None:
    """And a scan can be asked for."""
    assert "No drift" in operator.run("drift", "list").output
    assert "No orphans" in operator.run("orphans", "list").output
    assert "cloud-1" in operator.run("drift", "scan", "--node", "cloud-1").output
    assert "no node 'nowhere'" in operator.run("drift", "scan", "--node", "nowhere", exit_code=1).output
    assert drift_rig.findings() == []


@pytest.mark.parametrize("verb", ["adopt", "revert"])
def test_a_finding_is_repaired(operator: Terminal, drift_rig: DriftRig, finding: DriftFinding, verb: str) -> None:
    """The reason is asked for, and the operation is named."""
    answer = operator.run("drift", verb, str(finding.id), typed="they asked\n").output
    repaired = drift_rig.finding()
    assert repaired.status is FindingStatus.REPAIRING
    assert str(repaired.operation_id) in answer
    if verb == "adopt":
        assert "price stays" in answer


def test_a_finding_is_ignored_for_some_days(operator: Terminal, drift_rig: DriftRig, finding: DriftFinding) -> None:
    """Or for good."""
    ignore = ("drift", "ignore", str(finding.id), "--reason", "a gift")
    assert "Ignored until" in operator.run(*ignore, "--days", "3").output
    assert "for good" in operator.run(*ignore, "--path", "resources.*").output
    assert drift_rig.finding().status is FindingStatus.IGNORED


def test_an_orphan_is_removed_after_a_yes(operator: Terminal, drift_rig: DriftRig) -> None:
    """A dry run and a no change nothing."""
    orphan = _confirmed_orphan(drift_rig, 100_900)
    assert "100900 leftover" in operator.run("orphans", "list").output
    assert "This would delete guest 100900" in operator.run("orphans", "remove", orphan, "--dry-run").output
    operator.run("orphans", "remove", orphan, typed="n\n", exit_code=1)
    assert drift_rig.orphans()[0].status is OrphanStatus.CONFIRMED
    operator.run("orphans", "remove", orphan[-8:], "--yes")
    assert drift_rig.orphans()[0].status is OrphanStatus.REMOVING


def test_what_must_not_be_removed_is_refused_in_words(operator: Terminal, drift_rig: DriftRig) -> None:
    """Before anything is asked."""
    orphan = _confirmed_orphan(drift_rig, 120)
    refused = operator.run("orphans", "remove", orphan, "--yes", exit_code=1).output
    assert "not one that we give out" in refused


def test_an_id_that_nothing_ends_with_is_refused(operator: Terminal, finding: DriftFinding) -> None:
    """The answer says what to do."""
    assert "give the whole id" in operator.run("drift", "show", "zzz", exit_code=1).output
    assert finding.status is FindingStatus.OPEN
