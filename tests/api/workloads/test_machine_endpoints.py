"""Machines of one's own over HTTP: what is shown, and what only they can be asked for."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.jobs import Job
from api.operations.models import Operation, OperationStatus
from api.workloads.models import Workload, WorkloadStatus
from components.specs import BareMetalSpec
from tests.factories.orders import BARE_METAL
from tests.fakes.workload_specs import SSH_KEY
from tests.fixtures.api import Api, Customer
from tests.fixtures.machines import Stable
from tests.fixtures.shop import Shop

NAME = "iron"
AGAIN = {"template": "ubuntu-24.04-metal", "confirm": NAME}


@pytest.fixture
def owner(api: Api, api_shop: Shop) -> Customer:  # noqa: ARG001 - there must be something to own
    """Return a customer with two SSH keys."""
    customer = api.customer()
    for name in ("laptop", "desktop"):
        key = {"name": name, "public_key": f"{SSH_KEY.split(' ')[0]} {_KEYS[name]} {name}"}
        customer.http.post("/v1/ssh-keys", json=key).raise_for_status()
    return customer


_KEYS = {
    "laptop": SSH_KEY.split(" ")[1],
    "desktop": "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
}


@pytest.fixture
def workload_id(api_shop: Shop, owner: Customer) -> str:
    """Return a machine of the owner's that runs, its last operation ended."""
    Stable(api_shop).add(machine_class="metal-small")
    workload = api_shop.workload(api_shop.place_paid(owner.id, **BARE_METAL))
    api_shop.change(
        lambda session: (
            session.execute(update(Operation).values(status=OperationStatus.SUCCEEDED)),
            session.execute(update(Workload).values(status=WorkloadStatus.RUNNING)),
        )
    )
    return str(workload.id)


def wanted(shop: Shop) -> BareMetalSpec:
    """Return what is wanted of the one machine."""
    (workload,) = shop.all(Workload)
    return BareMetalSpec.model_validate(workload.desired)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem."""
    return answer.status_code, answer.json()["code"]


def test_a_machine_is_shown_with_what_is_on_it(owner: Customer, workload_id: str) -> None:
    """Its name, image, layout and user; nothing of its BMC or serial number."""
    answer = owner.http.get(f"/v1/workloads/{workload_id}")
    view = answer.json()
    machine = view["machine"]
    assert (view["kind"], view["node"], view["open_ports"]) == ("bare_metal", machine["name"], [])
    assert machine == {
        "name": machine["name"],
        "image": "debian-12-1",
        "layout": "single",
        "user": "debian",
        "rescue": False,
    }
    assert not any(secret in answer.text for secret in ("bmc", "SN-", "52:54:00"))


def test_a_guest_has_no_machine(api_shop: Shop, owner: Customer) -> None:
    """The field is there all the same."""
    workload = api_shop.workload(api_shop.place_paid(owner.id, ssh_keys=["laptop"]))
    assert owner.http.get(f"/v1/workloads/{workload.id}").json()["machine"] is None


def test_a_reinstallation_is_an_operation_with_the_owners_consent(
    api: Api, api_shop: Shop, owner: Customer, workload_id: str
) -> None:
    """What is left out stays as it is: layout and keys."""
    answer = owner.http.post(f"/v1/workloads/{workload_id}/reinstall", json=AGAIN)
    assert answer.status_code == 202, answer.text
    spec, operation = wanted(api_shop), api_shop.all(Operation)[-1]
    assert (spec.image.name, spec.user, spec.layout, spec.installation) == ("ubuntu-24.04-1", "ubuntu", "single", 2)
    assert [key.rpartition(" ")[2] for key in spec.ssh_keys] == ["laptop"]
    assert (operation.has_consent, operation.requested_by) == (True, owner.id)
    assert (operation.id,) in api.jobs.of(Job.RUN_OPERATION)


def test_layout_and_keys_can_be_changed_with_it(api_shop: Shop, owner: Customer, workload_id: str) -> None:
    """Both are what was asked for."""
    body = AGAIN | {"layout": "raid1", "ssh_keys": ["desktop"]}
    owner.http.post(f"/v1/workloads/{workload_id}/reinstall", json=body).raise_for_status()
    spec = wanted(api_shop)
    assert (spec.layout, [key.rpartition(" ")[2] for key in spec.ssh_keys]) == ("raid1", ["desktop"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"confirm": "another"}, "confirm"),
        ({"template": "debian-12"}, "template"),
        ({"template": "none-such"}, "template"),
        ({"ssh_keys": []}, "ssh_keys"),
        ({"ssh_keys": ["lost"]}, "ssh_keys"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(
    api_shop: Shop, owner: Customer, workload_id: str, changes: dict[str, Any], field: str
) -> None:
    """Above all, nothing is lost that its owner has not named."""
    before = wanted(api_shop)
    refused = owner.http.post(f"/v1/workloads/{workload_id}/reinstall", json=AGAIN | changes)
    assert problem(refused) == (422, "invalid_input")
    assert refused.json()["field"] == field
    assert wanted(api_shop) == before


def test_the_rescue_system_is_switched_on_and_off(api_shop: Shop, owner: Customer, workload_id: str) -> None:
    """202 and the operation; 200 and nothing where it is so already."""
    path = f"/v1/workloads/{workload_id}/rescue"
    nothing = owner.http.post(path, json={"on": False})
    assert (nothing.status_code, nothing.json()) == (200, None)
    begun = owner.http.post(path, json={"on": True})
    assert (begun.status_code, begun.json()["kind"]) == (202, "apply")
    assert wanted(api_shop).rescue is True
    assert owner.http.get(f"/v1/workloads/{workload_id}").json()["machine"]["rescue"] is True


@pytest.mark.parametrize(("verb", "body"), [("reinstall", AGAIN), ("rescue", {"on": True})])
def test_only_a_machine_can_be_asked_for_that(api_shop: Shop, owner: Customer, verb: str, body: dict[str, Any]) -> None:
    """409, and a sentence that says what the workload is."""
    workload = api_shop.workload(api_shop.place_paid(owner.id, name=NAME, ssh_keys=["laptop"]))
    refused = owner.http.post(f"/v1/workloads/{workload.id}/{verb}", json=body)
    assert problem(refused) == (409, "conflict")
    assert "is a cloud vm" in refused.json()["detail"]


@pytest.mark.parametrize(("verb", "body"), [("reinstall", AGAIN), ("rescue", {"on": True})])
def test_a_strangers_verb_finds_nothing(
    api: Api, api_shop: Shop, workload_id: str, verb: str, body: dict[str, Any]
) -> None:
    """Nor does it change anything."""
    before = wanted(api_shop)
    assert problem(api.customer().http.post(f"/v1/workloads/{workload_id}/{verb}", json=body)) == (404, "not_found")
    assert wanted(api_shop) == before


def test_an_order_over_http_may_name_the_layout(api_shop: Shop, owner: Customer) -> None:
    """A class that is sold out is 503, and nothing was charged; what is no layout is refused by the field."""
    headers = {"Idempotency-Key": "layout-0001"}
    sold_out = owner.http.post("/v1/orders", json=BARE_METAL, headers=headers)
    assert sold_out.json()["code"] == "no_capacity"
    assert "nothing was charged" in sold_out.json()["detail"]
    Stable(api_shop).add(machine_class="metal-small")
    wrong = owner.http.post("/v1/orders", json=BARE_METAL | {"layout": "raid0"}, headers=headers)
    assert wrong.status_code == 422
    placed = owner.http.post("/v1/orders", json=BARE_METAL | {"layout": "raid1"}, headers=headers)
    assert placed.status_code == 201, placed.text
    assert wanted(api_shop).layout == "raid1"
