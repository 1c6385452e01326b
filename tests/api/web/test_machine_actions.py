"""What operators decide about machines: each form does one thing, says so, and leaves a trace."""

from uuid import UUID

import pytest

from api.auth.models import Role
from api.jobs import Job
from api.machines.models import Deployment, DeploymentStatus, Machine
from api.vault import Vault
from components.specs.machine import DeploymentKind, MachineState
from tests.fixtures.api import Api
from tests.fixtures.iron_house import IronHouse
from tests.fixtures.pages import OpenBrowser, forms_of
from tests.fixtures.trail import records

_REASON = "the cable was changed"


def _machine(iron: IronHouse, machine_id: UUID) -> Machine:
    return iron.shop.change(lambda session: session.get_one(Machine, machine_id))


def _actions(html: str) -> set[str]:
    return {action.rpartition("/")[2] for action, _ in forms_of(html) if "/admin/machines/" in action}


def test_each_state_offers_what_can_be_done_in_it(browse: OpenBrowser, iron: IronHouse) -> None:
    """Support is offered nothing at all."""
    operator, support = browse(Role.OPERATOR), browse(Role.SUPPORT)
    offered = {
        name: _actions(operator.read(f"/admin/machines/{machine_id}"))
        for name, machine_id in {
            "free": iron.free,
            "active": iron.active,
            "installing": iron.installing,
            "bad": iron.quarantined,
            "new": iron.new,
        }.items()
    }

    assert offered == {
        "free": {"retire", "inspect", "power", "quarantine", "credential"},
        "active": {"power", "quarantine", "credential"},
        "installing": {"quarantine", "credential"},
        "bad": {"retire", "release", "power", "credential"},
        "new": {"retire", "quarantine", "credential"},
    }
    assert _actions(support.read(f"/admin/machines/{iron.free}")) == set()


@pytest.mark.parametrize("verb", ["inspect", "release"])
def test_an_inspection_is_begun_by_a_worker(api: Api, browse: OpenBrowser, iron: IronHouse, verb: str) -> None:
    """Of a machine that is free, or comes out of quarantine; the page then follows it."""
    browser = browse(Role.OPERATOR)
    machine_id = {"inspect": iron.free, "release": iron.quarantined}[verb]
    page = f"/admin/machines/{machine_id}"
    answer = browser.submit(page, f"{page}/{verb}", reason=_REASON)
    opened = [one for one in iron.shop.all(Deployment) if one.machine_id == machine_id][-1]

    assert answer.headers["Location"] == page
    assert _machine(iron, machine_id).state is MachineState.INSPECT
    assert (opened.kind, opened.requested_by) == (DeploymentKind.INSPECT, browser.person.id)
    assert (opened.id,) in api.jobs.of(Job.RUN_MACHINE)
    assert browser.person.email in browser.read(page)


def test_a_customers_machine_is_taken_out_of_use_only_if_that_is_meant(browse: OpenBrowser, iron: IronHouse) -> None:
    """The installation that is under way ends with it."""
    browser = browse(Role.OPERATOR)
    page = f"/admin/machines/{iron.installing}"
    without = browser.post(f"{page}/quarantine", reason=_REASON)
    meant = browser.submit(page, f"{page}/quarantine", reason=_REASON, affects_customer="true")
    deployment = iron.shop.change(lambda session: session.get_one(Deployment, iron.open_deployment))

    assert (without.status_code, meant.status_code) == (409, 303)
    assert _machine(iron, iron.installing).state is MachineState.QUARANTINE
    assert deployment.status is DeploymentStatus.ABORTED
    assert f"In quarantine:</b> {_REASON}" in browser.read(page)


def test_power_is_switched_by_a_worker(api: Api, browse: OpenBrowser, iron: IronHouse) -> None:
    """Not while the machine is being booted for something; the reason is in the trail."""
    browser = browse(Role.OPERATOR)
    page = f"/admin/machines/{iron.active}"
    answer = browser.submit(page, f"{page}/power", verb="cycle", reason=_REASON)
    busy = browser.post(f"/admin/machines/{iron.installing}/power", verb="off", reason=_REASON)

    assert (answer.status_code, busy.status_code) == (303, 409)
    assert api.jobs.of(Job.POWER_MACHINE) == [(iron.active, "cycle")]
    assert [one.reason for one in records(iron.shop.database) if one.action == "machine.power"] == [_REASON]


@pytest.mark.parametrize("fields", [{}, {"verb": "explode", "reason": _REASON}, {"verb": "on", "reason": " "}])
def test_a_verb_that_nobody_offers_is_refused(
    api: Api, browse: OpenBrowser, iron: IronHouse, fields: dict[str, str]
) -> None:
    """And one without a reason."""
    answer = browse(Role.OPERATOR).post(f"/admin/machines/{iron.active}/power", **fields)

    assert answer.status_code == 422
    assert api.jobs.of(Job.POWER_MACHINE) == []


def test_a_password_is_sealed_and_shown_to_nobody(api: Api, browse: OpenBrowser, iron: IronHouse) -> None:
    """Neither on a page nor in the trail; then the machine can be inspected."""
    browser, password = browse(Role.OPERATOR), "hunter2-of-the-bmc"
    page = f"/admin/machines/{iron.new}"
    browser.submit(page, f"{page}/credential", password=password)
    html, sealed = browser.read(page), _machine(iron, iron.new).bmc_password_encrypted
    vault: Vault = api.runtime.vault

    assert sealed is not None
    assert vault.open(sealed) == password
    assert "inspect" in _actions(html)
    assert password not in html + browser.read("/admin/audit")


def test_a_password_with_a_line_break_is_refused_and_not_repeated(browse: OpenBrowser, iron: IronHouse) -> None:
    """A BMC cannot be logged in to with it, and a page of errors is a page, too."""
    answer = browse(Role.OPERATOR).post(f"/admin/machines/{iron.new}/credential", password="one\ntwo-secret")

    assert answer.status_code == 422
    assert "two-secret" not in answer.text


def test_a_machine_that_is_gone_leaves_the_pool(browse: OpenBrowser, iron: IronHouse) -> None:
    """With a reason, which the audit trail keeps."""
    operator = browse(Role.OPERATOR)
    page = f"/admin/machines/{iron.quarantined}"
    operator.submit(page, f"{page}/retire", reason="sold for scrap")

    assert iron.shop.change(lambda session: session.get(Machine, iron.quarantined)) is None
    assert any(one.action == "machine.retire" and one.reason == "sold for scrap" for one in records(iron.shop.database))
