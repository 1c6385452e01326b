"""Workloads over HTTP: what a customer sees and may do, in every state."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from api.jobs import Job
from api.operations.models import Operation, OperationStatus
from api.orders.models import OrderStatus
from api.workloads.models import Workload, WorkloadStatus
from tests.factories.orders import GAME_SERVER
from tests.fixtures.api import Api, Customer
from tests.fixtures.shop import Shop


@pytest.fixture
def owner(api: Api, api_shop: Shop) -> Customer:  # noqa: ARG001 - there must be something to own
    """Return a customer in front of full shelves."""
    return api.customer()


def own(shop: Shop, owner: Customer, status: WorkloadStatus = WorkloadStatus.RUNNING, **changes: Any) -> str:
    """Give a customer a game server in a state, its last operation ended, and return its id."""
    order_id = shop.place_paid(owner.id, **GAME_SERVER | {"ssh_keys": []} | changes)
    if status is WorkloadStatus.RUNNING:
        shop.fulfil(order_id, lambda fulfilment, order: fulfilment.delivery(order))
    workload_id = shop.workload(order_id).id
    shop.change(
        lambda session: (
            session.execute(update(Operation).values(status=OperationStatus.SUCCEEDED)),
            session.execute(update(Workload).where(Workload.id == workload_id).values(status=status)),
        )
    )
    return str(workload_id)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem."""
    return answer.status_code, answer.json()["code"]


def test_a_workload_is_shown_as_its_owner_needs_it(api_shop: Shop, owner: Customer) -> None:
    """Addresses, name, ports and size; no VMID, no stack, no passphrase, no desired document."""
    workload_id = own(api_shop, owner, name="blocks")
    view = owner.http.get(f"/v1/workloads/{workload_id}").json()
    assert (view["name"], view["kind"], view["status"], view["desired_power"]) == (
        "blocks",
        "game_server",
        "running",
        "on",
    )
    assert (view["ipv4"], view["ipv6"], view["ipv6_network"]) == (
        "203.0.113.2",
        "2001:db8:0:1::1",
        "2001:db8:0:1::/64",
    )
    assert view["fqdn"].startswith("blocks-")
    assert view["fqdn"].endswith(".play.example")
    assert [port["first"] for port in view["open_ports"]] == [25565, 25565]
    assert not {"vmid", "stack", "passphrase_encrypted", "desired", "owner_id", "has_stack"} & view.keys()


def test_what_needs_attention_says_so_without_our_inner_words(api_shop: Shop, owner: Customer) -> None:
    """The staff's note stays with the staff."""
    workload_id = own(api_shop, owner, WorkloadStatus.NEEDS_ATTENTION)
    note = "proxmox_error: 10.0.0.7 said no"
    api_shop.change(lambda session: session.execute(update(Workload).values(attention=note)))
    shown = owner.http.get(f"/v1/workloads/{workload_id}").text
    assert "10.0.0.7" not in shown
    assert "Our staff has been told" in shown


def test_workloads_are_found_by_name(api_shop: Shop, owner: Customer) -> None:
    """Only the owner's own."""
    own(api_shop, owner, name="one")
    own(api_shop, owner, name="two")
    found = owner.http.get("/v1/workloads", params={"name": "two"}).json()["items"]
    assert [item["name"] for item in found] == ["two"]
    assert len(owner.http.get("/v1/workloads").json()["items"]) == 2


def test_a_name_that_no_workload_can_have_is_refused_by_field(owner: Customer) -> None:
    """422 that names the parameter."""
    for name in ("a_b", "..", "ä", "x" * 300, "a\x00b", "%", "' or 1=1 --"):
        answer = owner.http.get("/v1/workloads", params={"name": name})
        assert code(answer) == (422, "invalid_input")
        assert [error["field"] for error in answer.json()["errors"]] == ["name"]


def test_history_and_operations_are_listed_newest_first(api_shop: Shop, owner: Customer) -> None:
    """Every change of status with its reason."""
    workload_id = own(api_shop, owner)
    history = owner.http.get(f"/v1/workloads/{workload_id}/history").json()["items"]
    assert [(line["from_status"], line["to_status"], line["reason"]) for line in history] == [
        ("pending_payment", "queued", "paid"),
        (None, "pending_payment", "ordered"),
    ]
    operations = owner.http.get(f"/v1/workloads/{workload_id}/operations").json()["items"]
    assert [(found["kind"], found["status"]) for found in operations] == [("apply", "succeeded")]


def test_stopping_wants_it_off_and_hints_at_the_operation(api: Api, api_shop: Shop, owner: Customer) -> None:
    """202 with the operation; asking again is the same operation."""
    workload_id = own(api_shop, owner)
    answer = owner.http.post(f"/v1/workloads/{workload_id}/stop")
    assert (answer.status_code, answer.json()["kind"], answer.json()["status"]) == (202, "apply", "queued")
    again = owner.http.post(f"/v1/workloads/{workload_id}/stop")
    assert (again.status_code, again.json()["id"]) == (202, answer.json()["id"])
    assert owner.http.get(f"/v1/workloads/{workload_id}").json()["desired_power"] == "off"
    assert api.jobs.of(Job.RUN_OPERATION)[-1] == (UUID(answer.json()["id"]),)


def test_starting_what_runs_is_nothing_to_do(api_shop: Shop, owner: Customer) -> None:
    """200 and null."""
    answer = owner.http.post(f"/v1/workloads/{own(api_shop, owner)}/start")
    assert (answer.status_code, answer.json()) == (200, None)


def test_a_reboot_is_an_operation_of_its_own(api_shop: Shop, owner: Customer) -> None:
    """And there is one at a time."""
    workload_id = own(api_shop, owner)
    answer = owner.http.post(f"/v1/workloads/{workload_id}/reboot")
    assert (answer.status_code, answer.json()["kind"]) == (202, "reboot")
    assert code(owner.http.post(f"/v1/workloads/{workload_id}/reboot")) == (409, "conflict")


def test_cancelling_a_delivered_workload_removes_it(api: Api, api_shop: Shop, owner: Customer) -> None:
    """202 with the removal; no refund."""
    workload_id = own(api_shop, owner)
    answer = owner.http.post(f"/v1/workloads/{workload_id}/cancel")
    assert (answer.status_code, answer.json()["kind"]) == (202, "destroy")
    assert owner.http.get(f"/v1/workloads/{workload_id}").json()["status"] == "cancelling"
    assert api.jobs.of(Job.PAY_REFUNDS) == []


def test_cancelling_before_delivery_refunds(api: Api, api_shop: Shop, owner: Customer) -> None:
    """The hint to pay goes out after the commit."""
    order_id = api_shop.place_paid(owner.id, **GAME_SERVER, ssh_keys=[])
    workload_id = api_shop.workload(order_id).id
    assert owner.http.post(f"/v1/workloads/{workload_id}/cancel").status_code == 202
    assert api_shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert api.jobs.of(Job.PAY_REFUNDS) == [()]


def test_cancelling_twice_is_the_same_removal(api_shop: Shop, owner: Customer) -> None:
    """An impatient click does no harm."""
    workload_id = own(api_shop, owner)
    first, again = (owner.http.post(f"/v1/workloads/{workload_id}/cancel") for _ in range(2))
    assert first.json()["id"] == again.json()["id"]


def test_an_unpaid_workload_cannot_be_cancelled(api_shop: Shop, owner: Customer) -> None:
    """409 that says what happens instead."""
    workload_id = api_shop.workload(api_shop.place(owner.id, **GAME_SERVER, ssh_keys=[])).id
    answer = owner.http.post(f"/v1/workloads/{workload_id}/cancel")
    assert code(answer) == (409, "conflict")
    assert "let its payment page expire" in answer.json()["detail"]


@pytest.mark.parametrize(
    "status",
    [
        WorkloadStatus.QUEUED,
        WorkloadStatus.PROVISIONING,
        WorkloadStatus.SUSPENDED,
        WorkloadStatus.NEEDS_ATTENTION,
        WorkloadStatus.CANCELLING,
        WorkloadStatus.DELETED,
    ],
)
def test_a_verb_that_does_not_fit_the_state_is_refused(api_shop: Shop, owner: Customer, status: WorkloadStatus) -> None:
    """409, and nothing is scheduled: above all, a suspended workload cannot be started by its owner."""
    workload_id = own(api_shop, owner, status)
    for verb in ("start", "stop", "reboot"):
        answer = owner.http.post(f"/v1/workloads/{workload_id}/{verb}")
        assert code(answer) == (409, "conflict")
        assert status.value in answer.json()["detail"]
    assert len(api_shop.all(Operation)) == 1


def test_a_stranger_s_verb_finds_nothing_and_changes_nothing(api: Api, api_shop: Shop, owner: Customer) -> None:
    """404, as for a workload that never was (invariant I10)."""
    workload_id, stranger = own(api_shop, owner), api.customer()
    for verb in ("start", "stop", "reboot", "cancel"):
        assert code(stranger.http.post(f"/v1/workloads/{workload_id}/{verb}")) == (404, "not_found")
    assert len(api_shop.all(Operation)) == 1
