"""State sync of the pool's machines: told by the bare-metal pool's stack, and by nothing else that it knows."""

from typing import Any

import pytest
from sqlalchemy import select, update

from api.auth.models import Role
from api.inventory.models import Site
from api.inventory.platform_models import PlatformStack
from api.inventory.usage import things_at_sites
from api.machines.models import Machine
from api.workloads.models import Workload
from components.specs.machine import MachineState
from tests.factories.reports import POOL, network_report, pool_machine, pool_report
from tests.fixtures.inventory import ToldInventory
from tests.fixtures.trail import records

S = MachineState
PLACE: dict[str, Any] = {"rack": "FSN1-DC14 R9", "switch_port": "sw2/1", "vlan": 4010, "boot_address": "10.20.0.99"}


def machines_report(*machines: dict[str, Any]) -> dict[str, Any]:
    """What the pool tells, with these machines."""
    return pool_report(machines=list(machines))


def machine(inventory: ToldInventory, name: str = "box-1") -> Machine:
    """Return a machine's row as it is now."""
    return inventory.shop.change(lambda session: session.scalars(select(Machine).filter_by(name=name)).one())


def edit(inventory: ToldInventory, **values: Any) -> None:
    """Change all machines' rows as nothing does."""
    inventory.shop.change(lambda session: session.execute(update(Machine).values(**values)))


def sold(inventory: ToldInventory) -> str:
    """Have a workload hold the machine; returns the workload's name."""
    workload = inventory.shop.workload(inventory.shop.place())
    edit(inventory, state=S.ACTIVE, workload_id=workload.id)
    return workload.name


def actions(inventory: ToldInventory) -> list[tuple[str, str]]:
    """Return what the audit trail says of machines and reports."""
    found = records(inventory.api.runtime.database)
    return [(one.action, one.subject_id) for one in found if one.action.startswith(("machine.", "inventory."))]


@pytest.fixture
def told(inventory: ToldInventory) -> ToldInventory:
    """Return an Inventory that was told of the site, a node and a pool of one machine."""
    inventory.tell_all()
    inventory.told(machines_report(pool_machine()))
    return inventory


def test_a_new_machine_waits_for_its_password_and_its_inspection(told: ToldInventory) -> None:
    """Nothing that was told is believed yet, and no stack knows what opens its BMC."""
    row = machine(told)
    assert (row.state, row.bmc_password_encrypted, row.workload_id) == (S.ENROLL, None, None)
    assert (row.serial, row.boot_mac, row.machine_class) == ("SN-0001", "52:54:00:0a:00:01", "metal-small")
    assert (row.bmc_driver, row.bmc_address, row.bmc_user) == ("redfish", "https://10.21.0.1", "slipway")
    client = told.api.staff(Role.OPERATOR).token_client()
    client.put("/v1/admin/machines/box-1/credential", json={"password": "known-to-people"}).raise_for_status()
    assert machine(told).bmc_password_encrypted is not None
    client.post("/v1/admin/machines/box-1/inspect", json={"reason": "new"}).raise_for_status()
    assert machine(told).state is S.INSPECT


def test_telling_twice_is_telling_once(told: ToldInventory) -> None:
    """No row changes and no record is left; cards that an inspection has learnt besides stay."""
    before = actions(told)
    edit(told, macs=["52:54:00:0a:00:01", "52:54:00:0a:00:aa"])
    assert told.told(machines_report(pool_machine())) == {}
    assert machine(told).macs == ["52:54:00:0a:00:01", "52:54:00:0a:00:aa"]
    assert actions(told) == before
    view = told.sync.get(f"/v1/inventory/stacks/{POOL}").json()
    assert (view["is_as_told"], view["counts"]["machines"]) == (True, 1)


def test_where_a_machine_is_changes_under_its_customer(told: ToldInventory) -> None:
    """Rack, port, VLAN and boot address; each is in the audit trail with before and after."""
    sold(told)
    changes = told.told(machines_report(pool_machine(**PLACE)))
    assert set(changes["machine box-1"]) == PLACE.keys()
    row = machine(told)
    assert {name: getattr(row, name) for name in PLACE} == PLACE
    assert row.state is S.ACTIVE
    assert actions(told)[-2:] == [("machine.edit", "box-1"), ("inventory.report", POOL)]
    edited = records(told.api.runtime.database)[-2]
    assert edited.diff is not None
    assert edited.diff["vlan"] == {"before": 4000, "after": 4010}


def test_what_an_inspection_looks_at_changes_at_rest_only(told: ToldInventory) -> None:
    """Else what is sold would not be what was inspected."""
    other = machines_report(pool_machine(serial="OTHER", cores=16))
    sold(told)
    refused = told.put(other, dry_run=True)
    assert refused.status_code == 409
    assert "machine 'box-1': 'cores' cannot be changed while the machine is 'active'" in refused.json()["detail"]
    edit(told, state=S.QUARANTINE)
    told.told(other)
    assert (machine(told).serial, machine(told).cores) == ("OTHER", 16)


def test_a_machine_with_a_customer_is_not_taken_away(told: ToldInventory) -> None:
    """Refused with the list, the preview too; until then it shows as something that the state does not have."""
    name = sold(told)
    for answer in (
        told.put(machines_report()),
        told.put(machines_report(), dry_run=True),
        told.sync.delete(f"/v1/inventory/stacks/{POOL}"),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "still_in_use")
        assert [(one["name"], one["on"]) for one in problem["workloads"]] == [(name, "machine box-1")]
    assert machine(told).state is S.ACTIVE
    held = told.sync.get(f"/v1/inventory/stacks/{POOL}").json()["held"]
    assert [one["name"] for one in held["machines"]] == ["box-1"]


def test_a_machine_that_nobody_ever_had_is_forgotten(told: ToldInventory) -> None:
    """It may be told of again, as a new one."""
    assert set(told.told(machines_report())) == {"machine box-1"}
    assert told.shop.all(Machine) == []
    assert actions(told)[-2:] == [("machine.retire", "box-1"), ("inventory.report", POOL)]
    told.told(machines_report(pool_machine()))
    assert machine(told).state is S.ENROLL


@pytest.mark.parametrize("state", [S.CLEAN, S.QUARANTINE])
def test_a_machine_that_was_a_customers_is_retired(told: ToldInventory, state: S) -> None:
    """Its row holds the proofs that it was wiped, and no site. Told of again, it begins anew."""
    edit(told, state=state)
    told.shop.place()
    told.shop.change(
        lambda session: session.execute(update(Workload).values(machine_id=machine(told).id, node_id=None))
    )
    assert set(told.told(machines_report())) == {"machine box-1"}
    reason = f"the stack '{POOL}' describes it no more; its disks are not proven to be empty"
    assert (machine(told).state, machine(told).state_reason) == (S.RETIRED, reason)
    assert told.sync.get(f"/v1/inventory/stacks/{POOL}").json()["is_as_told"]
    told.told(machines_report(pool_machine(rack="R1")))
    assert (machine(told).state, machine(told).rack) == (S.ENROLL, "R1")


def test_a_retired_machine_keeps_no_site_open(told: ToldInventory) -> None:
    """The network's stack can be taken down; the site's row stays for the machine's sake."""
    edit(told, state=S.QUARANTINE)
    told.shop.place()
    told.shop.change(
        lambda session: session.execute(update(Workload).values(machine_id=machine(told).id, node_id=None))
    )
    told.told(machines_report())
    site = machine(told).site_id
    with told.api.runtime.database.transaction() as transaction:
        slug = transaction.session.get_one(Site, site).slug
        assert not [thing for thing in things_at_sites(transaction.session, [slug]) if "machine" in thing]


@pytest.mark.parametrize(
    ("other", "status", "said"),
    [
        (pool_machine("box-2", 2, site="mars"), 422, "machine 'box-2': 'site': there is no site 'mars'"),
        (pool_machine("box-2", 2, serial="BY-HAND"), 409, "machine 'box-2': 'serial': another machine has the serial"),
        (pool_machine("box-2", 2, boot_mac="52:54:00:0a:00:77"), 422, "'macs' of 'box-2' lacks 'boot_mac'"),
        (pool_machine(number=2), 422, "'machines' has 'box-1' twice"),
    ],
)
def test_what_a_report_cannot_mean_is_named(told: ToldInventory, other: dict[str, Any], status: int, said: str) -> None:
    """And nothing of it is kept."""
    by_hand = {**pool_machine("by-hand", 3, serial="BY-HAND"), "bmc_password": None}
    bmc = by_hand.pop("bmc")
    body = {**by_hand, **{f"bmc_{name}": value for name, value in bmc.items()}, "bmc_user": "root"}
    client = told.api.staff(Role.OPERATOR).token_client()
    client.post("/v1/admin/machines", json=body).raise_for_status()
    answer = told.put(machines_report(pool_machine(), other))
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert {row.name for row in told.shop.all(Machine)} == {"box-1", "by-hand"}


def test_what_a_stack_describes_is_not_deleted_by_hand(told: ToldInventory) -> None:
    """The next report would bring it back."""
    client = told.api.staff(Role.OPERATOR).token_client()
    refused = client.delete("/v1/admin/machines/box-1", params={"reason": "gone from the rack"})
    assert (refused.status_code, refused.json()["code"]) == (409, "told_by_another_stack")


def test_what_somebody_changes_by_hand_shows(told: ToldInventory) -> None:
    """As for every other thing of the estate; the next sync puts it right."""
    edit(told, rack="moved")
    view = told.sync.get(f"/v1/inventory/stacks/{POOL}").json()
    assert (view["is_as_told"], view["held"]["machines"][0]["rack"]) == (False, "moved")
    told.told(machines_report(pool_machine()))
    assert told.sync.get(f"/v1/inventory/stacks/{POOL}").json()["is_as_told"]


def test_a_report_of_an_older_release_is_still_as_told(told: ToldInventory) -> None:
    """It knows of no machines; those are not missing."""

    def forget(session: Any) -> None:
        row = session.scalars(select(PlatformStack).filter_by(stack="lab-network")).one()
        row.report = {part: entries for part, entries in row.report.items() if part != "machines"}

    told.shop.change(forget)
    assert told.sync.get("/v1/inventory/stacks/lab-network").json()["is_as_told"]
    assert told.told(network_report()) == {}
