"""The pool as staff look at it and decide about it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.auth.models import Role
from api.jobs import Job
from api.machines.models import ConsoleChunk, Deployment, DeploymentStatus, Machine
from api.operations.models import Operation, OperationStatus
from api.workloads.models import Workload
from components.specs.machine import MachineState
from tests.fixtures.machines import BMC_PASSWORD, MetalApi
from tests.fixtures.trail import records

S = MachineState
URL = "/v1/admin/machines"
REASON = {"reason": "a test wants it"}
MACHINE: dict[str, Any] = {
    "name": "iron-1",
    "site": "fsn",
    "machine_class": "ax41",
    "serial": "SN-9001",
    "boot_mac": "52-54-00-AA-00-01",
    "cores": 8,
    "memory_mib": 65_536,
    "disk_gib": 447,
    "disk_count": 2,
    "rack": "R1",
    "switch_port": "sw1/7",
    "vlan": 4001,
    "server_number": 4711,
    "boot_address": "10.20.0.11",
    "bmc_driver": "redfish",
    "bmc_address": "https://10.30.0.11",
    "bmc_user": "slipway",
    "bmc_password": BMC_PASSWORD,
}


@pytest.fixture
def operator(metal_api: MetalApi) -> httpx.Client:
    """Return an operator's client."""
    return metal_api.api.staff(Role.OPERATOR).http


def enrolled(operator: httpx.Client, **changes: Any) -> dict[str, Any]:
    """Enroll a machine."""
    answer = operator.post(URL, json=MACHINE | changes)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Return status and detail of a refusal."""
    return answer.status_code, answer.json()["detail"]


def test_a_machine_is_told_of_and_nothing_of_it_is_believed(metal_api: MetalApi, operator: httpx.Client) -> None:
    """It waits for its inspection; the password is sealed, and is in no answer and no record."""
    made = enrolled(operator)
    assert (made["state"], made["boot_mac"], made["has_credential"], made["is_wiped"]) == (
        "enroll",
        "52:54:00:aa:00:01",
        True,
        False,
    )
    (machine,) = metal_api.stable.shop.all(Machine)
    assert metal_api.stable.shop.vault.open(machine.bmc_password_encrypted or b"") == BMC_PASSWORD
    (told,) = [one for one in records(metal_api.stable.database) if one.action == "machine.enroll"]
    assert (told.subject_id, BMC_PASSWORD in str(told.diff)) == ("iron-1", False)
    assert BMC_PASSWORD not in str(operator.get(f"{URL}/iron-1").json())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"site": "nowhere"}, "site"),
        ({"vlan": 0}, "vlan"),
        ({"vlan": 4095}, "vlan"),
        ({"boot_mac": "01:00:5e:00:00:01"}, "boot_mac"),
        ({"serial": "a b"}, "serial"),
        ({"name": "../x"}, "name"),
        ({"bmc_address": "ftp://10.30.0.11"}, "bmc_address"),
        ({"bmc_address": "https://root:secret@10.30.0.11"}, "bmc_address"),
        ({"bmc_driver": "ipmi", "bmc_address": "10.30.0.11; reboot"}, "bmc_address"),
        ({"bmc_driver": "robot", "bmc_system": "x"}, "bmc_system"),
        ({"bmc_password": "two\nlines"}, "bmc_password"),
        ({"boot_address": "fe80::1"}, "boot_address"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(operator: httpx.Client, changes: dict[str, Any], field: str) -> None:
    """Nothing of it gets as far as a BMC, a DHCP server or a boot script."""
    status, detail = refused(operator.post(URL, json=MACHINE | changes))
    assert (status, field in detail) == (422, True), detail


@pytest.mark.parametrize(
    ("own", "field"),
    [
        ({"serial": "SN-9001"}, "serial"),
        ({"boot_mac": "52:54:00:aa:00:01"}, "boot_mac"),
        ({"macs": ["52:54:00:aa:00:01"]}, "macs"),
        ({"name": "iron-1"}, "name"),
        ({"server_number": 4711}, "server_number"),
        ({"boot_address": "10.20.0.11"}, "boot_address"),
    ],
)
def test_two_machines_are_never_known_by_the_same(operator: httpx.Client, own: dict[str, Any], field: str) -> None:
    """A MAC address or a serial number that two have would install the wrong one."""
    enrolled(operator)
    other = {"name": "iron-2", "serial": "SN-9002", "boot_mac": "52:54:00:aa:00:02", "server_number": 4712}
    status, detail = refused(operator.post(URL, json=MACHINE | other | {"boot_address": "10.20.0.12"} | own))
    assert (status, detail.startswith(f"'{field}'")) == (409, True), detail


def test_what_is_told_can_be_changed_and_each_change_is_recorded(metal_api: MetalApi, operator: httpx.Client) -> None:
    """What an inspection looks at only while the machine is at rest."""
    enrolled(operator)
    changes = {"rack": "R2", "boot_mac": "52:54:00:aa:00:07", "vlan": None}
    edited = operator.patch(f"{URL}/iron-1", json=changes).raise_for_status().json()
    assert (edited["rack"], edited["macs"], edited["vlan"]) == ("R2", ["52:54:00:aa:00:07"], None)
    (told,) = [one for one in records(metal_api.stable.database) if one.action == "machine.edit"]
    assert told.diff is not None
    assert (set(told.diff), told.diff["rack"]) == (
        {"rack", "boot_mac", "macs", "vlan"},
        {"before": "R1", "after": "R2"},
    )
    assert refused(operator.patch(f"{URL}/iron-1", json={"vlan": 5000}))[0] == 422
    assert refused(operator.patch(f"{URL}/iron-1", json={"rack": None}))[0] == 422
    assert refused(operator.patch(f"{URL}/iron-1", json={"site": "nowhere"}))[0] == 422
    engine = metal_api.engine(S.ACTIVE)
    status, detail = refused(operator.patch(f"{URL}/{engine.machine.name}", json={"serial": "OTHER"}))
    assert (status, "quarantine it first" in detail) == (409, True)
    assert operator.patch(f"{URL}/{engine.machine.name}", json={"rack": "R3"}).json()["rack"] == "R3"


def test_a_bmcs_password_can_follow_and_without_it_nothing_is_inspected(
    metal_api: MetalApi, operator: httpx.Client
) -> None:
    """Nobody could switch the machine on."""
    enrolled(operator, bmc_password=None)
    status, detail = refused(operator.post(f"{URL}/iron-1/inspect", json=REASON))
    assert (status, "deposit its BMC's password first" in detail) == (409, True)
    assert operator.put(f"{URL}/iron-1/credential", json={"password": "another"}).status_code == 204
    (machine,) = metal_api.stable.shop.all(Machine)
    assert metal_api.stable.shop.vault.open(machine.bmc_password_encrypted or b"") == "another"
    assert operator.post(f"{URL}/iron-1/inspect", json=REASON).status_code == 202


def test_an_inspection_is_opened_once_and_a_worker_is_told(metal_api: MetalApi, operator: httpx.Client) -> None:
    """Asking again returns the one under way."""
    enrolled(operator)
    opened = [operator.post(f"{URL}/iron-1/inspect", json=REASON).raise_for_status().json() for _ in range(2)]
    assert opened[0]["id"] == opened[1]["id"]
    assert (opened[0]["kind"], opened[0]["status"], opened[0]["operation_id"]) == ("inspect", "open", None)
    assert [str(one) for (one,) in metal_api.api.jobs.of(Job.RUN_MACHINE)] == [opened[0]["id"]] * 2
    detail = operator.get(f"{URL}/iron-1").json()
    assert (detail["state"], detail["deployment"]["id"]) == ("inspect", opened[0]["id"])
    (moved,) = [one for one in records(metal_api.stable.database) if one.action == "machine.state"]
    assert (moved.reason, moved.actor_kind) == (REASON["reason"], "person")


@pytest.mark.parametrize("state", [S.RESERVED, S.ACTIVE, S.RESCUE, S.DEPLOYING, S.CLEANING])
def test_a_machine_in_use_is_not_inspected(metal_api: MetalApi, operator: httpx.Client, state: MachineState) -> None:
    """An inspection ends with a wipe."""
    engine = metal_api.engine(state)
    assert refused(operator.post(f"{URL}/{engine.machine.name}/inspect", json=REASON))[0] == 409
    assert refused(operator.post(f"{URL}/{engine.machine.name}/release", json=REASON))[0] == 409
    assert metal_api.stable.state(engine.machine) is state


def test_a_customers_machine_goes_into_quarantine_only_if_that_is_meant(
    metal_api: MetalApi, operator: httpx.Client
) -> None:
    """And comes back only once the workload is to go, for it would be wiped, and nothing is at work for it."""
    engine = metal_api.engine(S.ACTIVE)
    wipe = engine.opened("wipe")
    path = f"{URL}/{engine.machine.name}"
    status, detail = refused(operator.post(f"{path}/quarantine", json=REASON))
    assert (status, "affects_customer" in detail) == (409, True)
    quarantined = operator.post(f"{path}/quarantine", json=REASON | {"affects_customer": True}).json()
    assert (quarantined["state"], quarantined["state_reason"]) == ("quarantine", REASON["reason"])
    assert metal_api.stable.deployment(wipe).status is DeploymentStatus.ABORTED
    status, detail = refused(operator.post(f"{path}/release", json=REASON))
    assert (status, "cancel the workload first" in detail) == (409, True)
    metal_api.stable.change(lambda session: session.execute(update(Workload).values(desired_absent=True)))
    status, detail = refused(operator.post(f"{path}/release", json=REASON))
    assert (status, "its workload's operation is at work" in detail) == (409, True)
    ended = update(Operation).values(status=OperationStatus.FAILED, lease_until=None)
    metal_api.stable.change(lambda session: session.execute(ended))
    assert operator.post(f"{path}/release", json=REASON).json()["kind"] == "inspect"
    assert metal_api.stable.state(engine.machine) is S.INSPECT


def test_quarantine_is_left_by_a_persons_word_alone(metal_api: MetalApi, operator: httpx.Client) -> None:
    """The alert is open meanwhile."""
    machine = metal_api.stable.add()
    assert operator.post(f"{URL}/{machine.name}/quarantine", json=REASON).status_code == 200
    alerts = operator.get("/v1/admin/alerts").json()["items"]
    assert [(one["kind"], one["subject_id"]) for one in alerts] == [("machine_quarantined", str(machine.id))]
    assert operator.post(f"{URL}/{machine.name}/quarantine", json=REASON).status_code == 200
    assert operator.post(f"{URL}/{machine.name}/release", json=REASON).status_code == 202
    assert operator.get("/v1/admin/alerts").json()["items"] == []
    assert metal_api.stable.moves(machine) == [("available", "quarantine"), ("quarantine", "inspect")]


def test_a_machine_that_is_gone_is_forgotten_unless_it_was_a_customers(
    metal_api: MetalApi, operator: httpx.Client
) -> None:
    """Of what was sold, the proofs that it was wiped are kept."""
    machine, busy = metal_api.stable.add(), metal_api.stable.add(S.CLEAN)
    query = {"reason": "sold for scrap"}
    assert refused(operator.delete(f"{URL}/{busy.name}", params=query))[0] == 409
    deployment = operator.post(f"{URL}/{machine.name}/inspect", json=REASON).json()["id"]
    operator.post(f"{URL}/{machine.name}/quarantine", json=REASON).raise_for_status()
    assert operator.delete(f"{URL}/{machine.name}", params=query).status_code == 204
    assert operator.get(f"{URL}/{machine.name}").status_code == 404
    assert deployment not in {str(one.id) for one in metal_api.stable.shop.all(Deployment)}
    assert "machine.retire" in {one.action for one in records(metal_api.stable.database)}
    sold = metal_api.stable.add(S.QUARANTINE)
    metal_api.stable.shop.place()
    metal_api.stable.change(lambda session: session.execute(update(Workload).values(machine_id=sold.id, node_id=None)))
    assert operator.delete(f"{URL}/{sold.name}", params=query).status_code == 204
    assert operator.get(f"{URL}/{sold.name}").json()["state"] == "retired"


def test_a_retired_machine_can_be_told_of_again(metal_api: MetalApi, operator: httpx.Client) -> None:
    """By its serial number: it comes back with its history, and nobody believes anything of it."""
    sold = metal_api.stable.add(S.QUARANTINE)
    metal_api.stable.shop.place()
    metal_api.stable.change(lambda session: session.execute(update(Workload).values(machine_id=sold.id, node_id=None)))
    for _ in range(2):
        gone = operator.delete(f"{URL}/{sold.name}", params={"reason": "its board is dead"})
        assert gone.status_code == 204
    row = metal_api.stable.machine(sold)
    assert (row.state, row.bmc_password_encrypted, row.boot_address) == (S.RETIRED, None, None)
    assert row.state_reason == "its board is dead; its disks are not proven to be empty"
    status, _ = refused(operator.post(f"{URL}/{sold.name}/quarantine", json={"reason": "it is not even here"}))
    assert status == 409
    told = {**MACHINE, "serial": row.serial, "rack": "Z9"}
    assert operator.post(URL, json=told).raise_for_status().json()["rack"] == "Z9"
    back = metal_api.stable.machine(sold)
    assert (back.state, back.name) == (S.ENROLL, MACHINE["name"])


def test_the_list_is_filtered_by_state_and_class(metal_api: MetalApi, operator: httpx.Client) -> None:
    """And paged like all lists."""
    for state in (S.AVAILABLE, S.AVAILABLE, S.QUARANTINE):
        metal_api.stable.add(state)
    other = metal_api.stable.add(machine_class="ax102")

    def names(**query: Any) -> set[str]:
        return {one["name"] for one in operator.get(URL, params=query).raise_for_status().json()["items"]}

    assert len(names()) == 4
    assert len(names(state="available", machine_class="ax41")) == 2
    assert names(machine_class="ax102") == {other.name}
    assert operator.get(URL, params={"limit": 3}).json()["next_cursor"] is not None


@pytest.mark.parametrize("verb", ["on", "off", "cycle"])
def test_power_is_a_job_and_is_recorded(metal_api: MetalApi, operator: httpx.Client, verb: str) -> None:
    """By whom and why; while a deployment is open, the machine is left alone."""
    machine = metal_api.stable.add()
    assert operator.post(f"{URL}/{machine.name}/power/{verb}", json=REASON).status_code == 202
    assert metal_api.api.jobs.of(Job.POWER_MACHINE) == [(machine.id, verb)]
    (told,) = [one for one in records(metal_api.stable.database) if one.action == "machine.power"]
    assert (told.subject_id, told.diff, told.reason) == (machine.name, {"verb": verb}, REASON["reason"])
    operator.post(f"{URL}/{machine.name}/inspect", json=REASON).raise_for_status()
    assert refused(operator.post(f"{URL}/{machine.name}/power/{verb}", json=REASON))[0] == 409


def test_a_deployments_log_console_and_proofs_are_seen(metal_api: MetalApi) -> None:
    """By support, too; another machine's are not found under this one's name."""
    engine, other = metal_api.engine(S.ACTIVE), metal_api.stable.add()
    wipe = engine.opened("wipe")
    metal_api.stable.reports_wipe(wipe)
    metal_api.stable.change(lambda session: session.add(ConsoleChunk(deployment_id=wipe, text="Linux\x1b[0m version")))
    support = metal_api.api.staff(Role.SUPPORT).http
    path = f"{URL}/{engine.machine.name}"
    events = support.get(f"{path}/deployments/{wipe}/events").raise_for_status().json()
    assert [(one["phase"], one["message"]) for one in events] == [("reboot", "At reboot.")]
    assert support.get(f"{path}/deployments/{wipe}/events", params={"after": events[0]["id"]}).json() == []
    (piece,) = support.get(f"{path}/deployments/{wipe}/console").json()
    assert piece["text"] == "Linux\x1b[0m version"
    assert [one["id"] for one in support.get(f"{path}/deployments").json()["items"]] == [str(wipe)]
    (proof,) = support.get(f"{path}/wipe-reports").json()["items"]
    assert (proof["deployment_id"], proof["disks"][0]["nonzero_samples"]) == (str(wipe), 0)
    for kind in ("events", "console"):
        assert support.get(f"{URL}/{other.name}/deployments/{wipe}/{kind}").status_code == 404
