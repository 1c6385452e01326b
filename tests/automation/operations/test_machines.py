"""Operations on machines of one's own: real PostgreSQL and machine API services, a fake engine and fake BMCs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from api.alerts.models import Alert, AlertKind
from api.audit.trail import SYSTEM
from api.errors import Conflict, Unauthenticated
from api.machines.care import MachineCare
from api.machines.deployments import Deployments, Opening
from api.machines.grants import MachineGrants
from api.machines.lifecycle import lock_machine
from api.machines.lifetimes import lifetimes
from api.machines.models import DeploymentStatus, Machine, PowerVerb
from api.operations.models import OperationKind, OperationStatus
from api.operations.stopping import OperationStopper
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from automation.engine.contract import EngineAction
from automation.metal.runner import MachineRunner
from automation.tasks.machines import sweep_machines
from components.specs.machine import DeploymentKind, DiskLayout, MachineState
from tests.fakes.machine_power import FakePowerDrivers
from tests.fixtures.machines import BMC_PASSWORD
from tests.fixtures.metal_shop import OTHER_IMAGE, MetalShop
from tests.fixtures.operations import POLICY
from tests.fixtures.promises import checker
from tests.fixtures.services import worker_services
from tests.fixtures.shop import LIFETIME_SECONDS, NOTHING


@pytest.fixture
def order_id(metal_shop: MetalShop) -> UUID:
    """Return an order of a machine that was delivered."""
    metal_shop.add_machine()
    return metal_shop.delivered()


def status(shop: MetalShop, order_id: UUID) -> WorkloadStatus:
    """Return an order's workload's status."""
    return shop.stable.shop.workload(order_id).status


def code(shop: MetalShop, order_id: UUID) -> str | None:
    """Return why the newest operation failed."""
    return shop.desk.latest(order_id).error_code


class TestDelivery:
    def test_a_paid_machine_is_installed_verified_and_delivered(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """The machine is the customer's, on, with what was ordered on it; no guest of a node is written down."""
        machine, workload = metal_shop.machine(order_id), metal_shop.stable.shop.workload(order_id)
        assert (machine.state, machine.workload_id) == (MachineState.ACTIVE, workload.id)
        assert machine.installed is not None
        assert machine.installed["image"] == "debian-12-1"
        assert workload.status is WorkloadStatus.RUNNING
        assert metal_shop.stable.shop.order(order_id).status is OrderStatus.DELIVERED
        assert metal_shop.is_on(order_id)
        lines = metal_shop.desk.lines(metal_shop.desk.latest(order_id).id)
        assert lines[0].message == f"Bringing {workload.name} to its desired state on machine {machine.name}."

    def test_the_engine_gets_a_grant_and_the_bmc_in_its_environment_only(self, metal_shop: MetalShop) -> None:
        """The job is written to disk as it is; a preview gets a grant, too, to look by."""
        metal_shop.add_machine()
        order_id = metal_shop.delivered()
        job = metal_shop.engine.runs[0].job
        (grant,) = metal_shop.engine.grants
        assert grant.startswith("slg_")
        assert grant not in repr(job)
        assert BMC_PASSWORD not in repr(job)
        assert job.spec == metal_shop.stable.shop.workload(order_id).desired
        assert job.deadline_seconds == 3600

    @pytest.mark.usefixtures("order_id")
    def test_a_grant_is_void_once_its_operation_has_ended(self, metal_shop: MetalShop) -> None:
        """An engine that lives on can do nothing more with the machine."""
        (grant,) = metal_shop.engine.grants
        with pytest.raises(Unauthenticated):
            metal_shop.stable.change(lambda session: MachineGrants(session).resolve(grant))

    @pytest.mark.parametrize(("forgets", "wanted"), [("install", "machine_state"), ("power", "machine_power")])
    def test_the_machine_is_believed_and_not_the_engine(self, metal_shop: MetalShop, forgets: str, wanted: str) -> None:
        """What an engine only claims to have done is done by the next attempt."""
        metal_shop.add_machine()
        order_id = metal_shop.place_paid()
        metal_shop.engine.skips.add(forgets)
        metal_shop.rig.run(order_id)
        assert (code(metal_shop, order_id), metal_shop.desk.latest(order_id).status) == (wanted, OperationStatus.QUEUED)
        metal_shop.engine.skips.clear()
        metal_shop.rig.run(order_id)
        assert metal_shop.stable.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_a_bmc_that_does_not_answer_is_asked_again_later(self, metal_shop: MetalShop) -> None:
        """What was installed stays installed."""
        metal_shop.add_machine()
        order_id = metal_shop.place_paid()
        metal_shop.bmcs.is_reachable = False
        metal_shop.rig.run(order_id)
        assert code(metal_shop, order_id) == "bmc_unreachable"
        metal_shop.bmcs.is_reachable = True
        metal_shop.rig.run(order_id)
        assert metal_shop.stable.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_a_machine_whose_bmc_nobody_gave_us_the_password_of_is_not_begun_with(self, metal_shop: MetalShop) -> None:
        """No engine is started, and the money goes back at once: time does not heal that."""
        machine = metal_shop.add_machine()
        order_id = metal_shop.place_paid()
        metal_shop.stable.change(lambda session: session.execute(update(Machine).values(bmc_password_encrypted=None)))
        metal_shop.rig.run(order_id)
        assert metal_shop.stable.shop.operations(order_id)[0].error_code == "no_credential"
        assert metal_shop.engine.runs == []
        assert metal_shop.stable.shop.order(order_id).status is OrderStatus.REFUND_DUE
        assert metal_shop.stable.state(machine) is MachineState.RESERVED
        metal_shop.rig.run(order_id)
        assert code(metal_shop, order_id) == "no_credential"
        assert metal_shop.stable.state(machine) is MachineState.QUARANTINE

    def test_machines_do_not_wait_for_a_busy_node(self, metal_shop: MetalShop) -> None:
        """Any number of them is installed at once, and found by the sweep."""
        orders = []
        for _ in range(3):
            metal_shop.add_machine()
            orders.append(metal_shop.place_paid())
        assert len(metal_shop.desk.due()) == 3
        leases = [metal_shop.desk.lease(order) for order in orders]
        assert len({lease.place.id for lease in leases}) == 3


class TestFailure:
    def test_a_failed_installation_is_paid_back_and_the_machine_wiped(self, metal_shop: MetalShop) -> None:
        """The money goes back, the engine removes what it began, and only then is the machine offered again."""
        machine = metal_shop.add_machine()
        order_id = metal_shop.place_paid()
        metal_shop.engine.skips.add("power")
        for _ in range(POLICY.attempts):
            metal_shop.rig.run(order_id)
        assert metal_shop.stable.shop.order(order_id).status is OrderStatus.REFUND_DUE
        assert metal_shop.stable.state(machine) is MachineState.ACTIVE
        metal_shop.rig.run(order_id)
        assert metal_shop.engine.runs[-1].job.action is EngineAction.DESTROY
        assert metal_shop.stable.state(machine) is MachineState.AVAILABLE
        assert ("cleaning", "available") in metal_shop.stable.moves(machine)
        assert status(metal_shop, order_id) is WorkloadStatus.DELETED
        assert metal_shop.stable.shop.held(order_id) == NOTHING

    def test_a_failed_installation_whose_machine_cannot_be_wiped_ends_in_quarantine(
        self, metal_shop: MetalShop
    ) -> None:
        """The money goes back all the same; the machine is nobody's to use before a person has looked."""
        machine = metal_shop.add_machine()
        order_id = metal_shop.place_paid()
        metal_shop.engine.skips.update({"install", "wipe"})
        for _ in range(2 * POLICY.attempts):
            metal_shop.rig.run(order_id)
        assert metal_shop.stable.shop.order(order_id).status is OrderStatus.REFUND_DUE
        assert status(metal_shop, order_id) is WorkloadStatus.NEEDS_ATTENTION
        assert metal_shop.stable.state(machine) is MachineState.QUARANTINE

    def test_an_engine_that_failed_before_it_wrote_anything_leaves_nothing_to_wipe(self, metal_shop: MetalShop) -> None:
        """The claim is given back as it was taken."""
        machine = metal_shop.add_machine()
        order_id = metal_shop.place_paid()
        metal_shop.engine.fail_next("machine_failed", retryable=False)
        metal_shop.rig.run(order_id)
        assert metal_shop.stable.shop.order(order_id).status is OrderStatus.REFUND_DUE
        metal_shop.rig.run(order_id)
        assert metal_shop.stable.moves(machine) == [("available", "reserved"), ("reserved", "available")]


class TestRemoval:
    def test_cancelling_wipes_the_machine_and_gives_it_back(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """Addresses and name rest or go, as for every workload."""
        machine = metal_shop.machine(order_id)
        metal_shop.desk.cancel(order_id)
        metal_shop.rig.run(order_id)
        assert status(metal_shop, order_id) is WorkloadStatus.DELETED
        assert metal_shop.stable.state(machine) is MachineState.AVAILABLE
        assert metal_shop.stable.machine(machine).workload_id is None
        assert metal_shop.stable.shop.held(order_id) == NOTHING
        assert metal_shop.engine.runs[-1].job.deadline_seconds == 46_800
        metal_shop.place()

    def test_an_order_that_is_cancelled_in_the_queue_never_sees_an_engine(self, metal_shop: MetalShop) -> None:
        """Nothing was written to its machine, so that it goes back as it is."""
        machine = metal_shop.add_machine()
        order_id = metal_shop.place_paid()
        metal_shop.desk.cancel(order_id)
        metal_shop.rig.run(order_id)
        assert metal_shop.engine.runs == []
        assert metal_shop.stable.state(machine) is MachineState.AVAILABLE
        assert status(metal_shop, order_id) is WorkloadStatus.DELETED

    def test_a_machine_that_was_not_given_back_is_not_let_go(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """Whatever the engine says: it is tried again; then a person has to look, for nobody knows what is on it."""
        machine = metal_shop.machine(order_id)
        _fail_removal(metal_shop, order_id)
        assert code(metal_shop, order_id) == "machine_still_held"
        assert status(metal_shop, order_id) is WorkloadStatus.NEEDS_ATTENTION
        now = metal_shop.stable.machine(machine)
        assert (now.state, now.workload_id) == (
            MachineState.QUARANTINE,
            metal_shop.stable.shop.workload(order_id).id,
        )
        assert "the removal of workload" in now.state_reason
        assert "The machine was not given back" in now.state_reason
        told = {(alert.kind, alert.subject_id) for alert in metal_shop.stable.shop.all(Alert)}
        assert (AlertKind.MACHINE_QUARANTINED, str(machine.id)) in told
        assert now.power_verb is PowerVerb.OFF

    def test_a_removal_that_ends_in_the_queue_lets_nothing_go_either(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """No worker came to it before its time was over."""
        machine = metal_shop.machine(order_id)
        metal_shop.desk.cancel(order_id)
        operation = metal_shop.desk.latest(order_id).id
        metal_shop.desk.past_deadline(operation)
        metal_shop.stable.change(lambda session: OperationStopper(session, LIFETIME_SECONDS).give_up(operation))
        assert metal_shop.stable.state(machine) is MachineState.QUARANTINE

    def test_a_removal_that_somebody_stops_leaves_the_machine_as_it_is(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """It was nobody's fault, and nothing has begun: the customer keeps it."""
        machine = metal_shop.machine(order_id)
        metal_shop.desk.cancel(order_id)
        metal_shop.stop_operation(metal_shop.desk.latest(order_id).id)
        assert metal_shop.stable.state(machine) is MachineState.ACTIVE

    def test_what_was_being_wiped_when_the_removal_was_given_up_is_aborted(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """An initrd that runs on is told to stop; a report that comes later proves nothing."""
        machine = metal_shop.machine(order_id)
        metal_shop.desk.cancel(order_id)
        metal_shop.stable.move(machine, MachineState.CLEANING)
        opening = Opening(DeploymentKind.WIPE, "wipe", timedelta(hours=1))
        wipe = metal_shop.stable.change(
            lambda session: Deployments(session).open(lock_machine(session, machine.id), opening).id
        )
        metal_shop.engine.fail_next("machine_failed", retryable=False)
        metal_shop.rig.run(order_id)
        assert metal_shop.stable.deployment(wipe).status is DeploymentStatus.ABORTED
        assert metal_shop.stable.state(machine) is MachineState.QUARANTINE

    @pytest.mark.parametrize(
        ("state", "wanted"),
        [
            (MachineState.QUARANTINE, "machine_quarantined"),
            (MachineState.INSPECT, "machine_returning"),
            (MachineState.CLEAN, "machine_returning"),
        ],
    )
    def test_a_machine_that_a_person_decides_about_is_left_alone(
        self, metal_shop: MetalShop, order_id: UUID, state: MachineState, wanted: str
    ) -> None:
        """The removal says so at once; no engine is started that would end the inspection or the wipe."""
        machine = metal_shop.machine(order_id)
        _fail_removal(metal_shop, order_id)
        runs = len(metal_shop.engine.runs)
        for step in (MachineState.INSPECT, MachineState.CLEAN):
            if metal_shop.stable.state(machine) is not state:
                metal_shop.stable.move(machine, step)
        metal_shop.desk.cancel(order_id)
        metal_shop.rig.run(order_id)
        assert (code(metal_shop, order_id), len(metal_shop.engine.runs)) == (wanted, runs)
        assert status(metal_shop, order_id) is WorkloadStatus.NEEDS_ATTENTION
        now = metal_shop.stable.machine(machine)
        assert (now.state, now.workload_id) == (state, metal_shop.stable.shop.workload(order_id).id)

    def test_once_a_person_has_released_the_machine_the_removal_goes_on_by_itself(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """Inspected, wiped, offered; then the stack, the addresses and the name go, too. Once for each proof."""
        machine = metal_shop.machine(order_id)
        _fail_removal(metal_shop, order_id)
        _sweep(metal_shop)
        assert metal_shop.desk.due() == []
        _bring_back(metal_shop, machine)
        assert metal_shop.stable.state(machine) is MachineState.AVAILABLE
        assert status(metal_shop, order_id) is WorkloadStatus.NEEDS_ATTENTION
        metal_shop.engine.fail_next("machine_failed", retryable=False)
        _sweep(metal_shop)
        assert metal_shop.rig.run(order_id)
        assert status(metal_shop, order_id) is WorkloadStatus.NEEDS_ATTENTION
        _sweep(metal_shop)
        assert metal_shop.desk.due() == []
        next_order = metal_shop.delivered()
        assert metal_shop.machine(next_order).id == machine.id
        assert checker(metal_shop.rig).check() == []
        metal_shop.desk.cancel(order_id)
        assert metal_shop.rig.run(order_id)
        assert status(metal_shop, order_id) is WorkloadStatus.DELETED
        assert metal_shop.stable.shop.held(order_id) == NOTHING
        now = metal_shop.stable.machine(machine)
        assert (now.state, now.workload_id) == (
            MachineState.ACTIVE,
            metal_shop.stable.shop.workload(next_order).id,
        )

    def test_no_machine_is_released_while_its_removal_is_at_work(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """The two would undo each other's work."""
        machine = metal_shop.machine(order_id)
        _fail_removal(metal_shop, order_id)
        metal_shop.desk.cancel(order_id)
        metal_shop.desk.begun(order_id)
        with pytest.raises(Conflict, match="its workload's operation is at work"):
            _release(metal_shop, machine)


def _fail_removal(shop: MetalShop, order_id: UUID) -> None:
    """Cancel an order, and have every attempt of the removal come back without having wiped anything."""
    shop.engine.skips.add("wipe")
    shop.desk.cancel(order_id)
    for _ in range(POLICY.attempts):
        shop.rig.run(order_id)
    shop.engine.skips.clear()


def _release(shop: MetalShop, machine: Machine) -> UUID:
    return shop.stable.change(
        lambda session: MachineCare(session, lifetimes(shop.rig.settings)).release(machine.name, "looked at", SYSTEM).id
    )


def _bring_back(shop: MetalShop, machine: Machine) -> None:
    """Release a machine from quarantine, and have it inspected and wiped."""
    runner = MachineRunner(shop.stable.database, FakePowerDrivers(), shop.stable.shop.jobs, shop.rig.settings, "w-1")
    inspect = _release(shop, machine)
    runner.run(inspect)
    shop.stable.reports_facts(inspect)
    runner.run(inspect)
    wipe = shop.stable.deployments(machine)[-1].id
    runner.run(wipe)
    shop.stable.reports_wipe(wipe)
    runner.run(wipe)


def _sweep(shop: MetalShop) -> None:
    sweep_machines(worker_services(shop.rig))


class TestVerbs:
    def test_stop_start_and_reboot(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """Power is the BMC's to say; a reboot cuts it and starts no engine."""
        metal_shop.desk.power(order_id, started=False)
        metal_shop.rig.run(order_id)
        assert (status(metal_shop, order_id), metal_shop.is_on(order_id)) == (WorkloadStatus.STOPPED, False)
        metal_shop.desk.power(order_id, started=True)
        metal_shop.rig.run(order_id)
        runs, bmc = len(metal_shop.engine.runs), metal_shop.bmcs.machine(metal_shop.machine(order_id).bmc_system)
        boots = len(bmc.boots)
        metal_shop.desk.reboot(order_id)
        metal_shop.rig.run(order_id)
        assert (status(metal_shop, order_id), len(bmc.boots)) == (WorkloadStatus.RUNNING, boots + 1)
        assert len(metal_shop.engine.runs) == runs

    def test_a_reboot_of_a_machine_whose_bmc_is_away_is_tried_again(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """The machine runs on."""
        metal_shop.desk.reboot(order_id)
        metal_shop.bmcs.is_reachable = False
        metal_shop.rig.run(order_id)
        assert code(metal_shop, order_id) == "bmc_unreachable"
        metal_shop.bmcs.is_reachable = True
        metal_shop.rig.run(order_id)
        assert metal_shop.desk.latest(order_id).status is OperationStatus.SUCCEEDED

    def test_a_reinstallation_puts_another_system_on_the_machine(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """The owner's consent travels with the operation; the machine stays the same."""
        machine = metal_shop.machine(order_id)
        operation = metal_shop.reinstall(order_id, DiskLayout.RAID1)
        assert (operation.kind, operation.has_consent) == (OperationKind.APPLY, True)
        metal_shop.rig.run(order_id)
        now = metal_shop.machine(order_id)
        assert (now.id, now.state) == (machine.id, MachineState.ACTIVE)
        assert now.installed is not None
        assert now.installed["image"] == OTHER_IMAGE.name
        spec = metal_shop.spec(order_id)
        assert (spec.installation, spec.layout, spec.image) == (2, DiskLayout.RAID1, OTHER_IMAGE)
        assert status(metal_shop, order_id) is WorkloadStatus.RUNNING

    def test_the_same_system_is_installed_again_if_it_is_asked_for(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """It is counted, so that nothing has to differ."""
        metal_shop.reinstall(order_id)
        metal_shop.rig.run(order_id)
        first = metal_shop.machine(order_id).installed
        metal_shop.reinstall(order_id)
        metal_shop.rig.run(order_id)
        again = metal_shop.machine(order_id).installed
        assert first is not None
        assert again is not None
        assert first["at"] < again["at"]
        assert first["profile_digest"] == again["profile_digest"]

    def test_a_reinstallation_that_failed_can_be_asked_for_again(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """There is nothing left on the disks to be careful with."""
        metal_shop.reinstall(order_id)
        metal_shop.engine.fail_next("machine_failed", retryable=False)
        metal_shop.rig.run(order_id)
        assert status(metal_shop, order_id) is WorkloadStatus.NEEDS_ATTENTION
        metal_shop.reinstall(order_id)
        metal_shop.rig.run(order_id)
        assert status(metal_shop, order_id) is WorkloadStatus.RUNNING
        assert metal_shop.spec(order_id).installation == 3

    def test_a_reinstallation_that_was_not_begun_can_be_withdrawn(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """What was wanted before is wanted again, and the machine runs on."""
        before = metal_shop.spec(order_id)
        operation = metal_shop.reinstall(order_id)
        metal_shop.stop_operation(operation.id)
        assert metal_shop.spec(order_id) == before
        assert status(metal_shop, order_id) is WorkloadStatus.RUNNING

    def test_the_rescue_system_and_back(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """What is on the disks stays; asking for what is so makes no operation."""
        installed = metal_shop.machine(order_id).installed
        assert metal_shop.rescue(order_id, on=False) is None
        metal_shop.rescue(order_id, on=True)
        metal_shop.rig.run(order_id)
        assert metal_shop.machine(order_id).state is MachineState.RESCUE
        assert status(metal_shop, order_id) is WorkloadStatus.RUNNING
        metal_shop.rescue(order_id, on=False)
        metal_shop.rig.run(order_id)
        now = metal_shop.machine(order_id)
        assert (now.state, now.installed) == (MachineState.ACTIVE, installed)

    def test_a_machine_that_is_off_is_on_in_the_rescue_system(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """And stays on when it goes back to its own."""
        metal_shop.desk.power(order_id, started=False)
        metal_shop.rig.run(order_id)
        metal_shop.rescue(order_id, on=True)
        metal_shop.rig.run(order_id)
        assert (status(metal_shop, order_id), metal_shop.is_on(order_id)) == (WorkloadStatus.RUNNING, True)

    def test_in_the_rescue_system_power_is_not_the_customers(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """It would boot its own system, unasked; a reinstallation ends it."""
        metal_shop.rescue(order_id, on=True)
        metal_shop.rig.run(order_id)
        with pytest.raises(Conflict, match="runs the rescue system"):
            metal_shop.desk.power(order_id, started=False)
        with pytest.raises(Conflict, match="runs the rescue system"):
            metal_shop.desk.reboot(order_id)
        metal_shop.reinstall(order_id)
        metal_shop.rig.run(order_id)
        assert metal_shop.machine(order_id).state is MachineState.ACTIVE

    @pytest.mark.parametrize("verb", ["stop", "reboot", "reinstall", "rescue"])
    def test_nothing_is_wanted_besides_an_operation_under_way(
        self, metal_shop: MetalShop, order_id: UUID, verb: str
    ) -> None:
        """The consent to a reinstallation covers that, and nothing that somebody adds to it."""
        metal_shop.reinstall(order_id)
        verbs: dict[str, Any] = {
            "stop": lambda: metal_shop.desk.power(order_id, started=False),
            "reboot": lambda: metal_shop.desk.reboot(order_id),
            "reinstall": lambda: metal_shop.reinstall(order_id),
            "rescue": lambda: metal_shop.rescue(order_id, on=True),
        }
        with pytest.raises(Conflict, match="under way"):
            verbs[verb]()

    def test_guests_can_neither_be_reinstalled_nor_rescued(self, metal_shop: MetalShop) -> None:
        """The refusal says what they are."""
        guest = metal_shop.rig.delivered(name="guest")
        with pytest.raises(Conflict, match="'guest' is a cloud vm: only a bare-metal machine"):
            metal_shop.rescue(guest, on=True)
