"""Machines that no stack has: from `inspect` over `clean` to `available`, or into quarantine."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import func, update

from api.alerts.models import Alert
from api.audit.trail import SYSTEM
from api.errors import LeaseLost
from api.jobs import Job
from api.machines.care import MachineCare
from api.machines.lifetimes import lifetimes
from api.machines.models import Deployment, DeploymentStatus, Machine
from api.machines.preparation import Errand, Preparation
from automation.metal.power import PowerFailed
from automation.metal.runner import MachineRunner
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from tests.factories.machines import machine_mac
from tests.fakes.machine_power import FakePowerDrivers
from tests.fixtures.machines import Stable
from tests.fixtures.runner import worker_settings
from tests.races import at_once

Answer = TypeVar("Answer")
S = MachineState
BUSY = PowerFailed("bmc_busy", "The BMC has no time.", is_retryable=True)
REFUSED = PowerFailed("bmc_refused", "The BMC does not accept the login.", is_retryable=False)


class Yard:
    """A worker's runner on a pool, with the machines' power in hand."""

    def __init__(self, stable: Stable, work_root: Path) -> None:
        self.stable, self.power = stable, FakePowerDrivers()
        self.settings = worker_settings(work_root)
        self.runner = MachineRunner(stable.database, self.power, stable.shop.jobs, self.settings, "worker-1")

    def inspect(self, machine: Machine) -> UUID:
        """Have a machine inspected, as an operator asks for it."""
        return self.stable.change(
            lambda session: MachineCare(session, lifetimes(self.settings)).inspect(machine.name, "new", SYSTEM).id
        )

    def due(self) -> list[UUID]:
        """Return what a sweep would find."""
        return self.preparing(lambda preparation: preparation.due())

    def preparing(self, action: Callable[[Preparation], Answer]) -> Answer:
        """Do something as a worker."""
        return self.stable.change(lambda session: action(Preparation(session, lifetimes(self.settings))))

    def taken(self, deployment_id: UUID) -> Errand:
        """Have another worker take the lease of a deployment's next step."""
        length = timedelta(seconds=30)
        errand = self.preparing(lambda preparation: preparation.acquire(deployment_id, "worker-2", length))
        assert errand is not None
        return errand

    def lapse(self, deployment_id: UUID) -> None:
        """Let a lease, or a pause, be over."""
        values = {"lease_until": func.now() - timedelta(seconds=1)}
        self.stable.change(
            lambda session: session.execute(update(Deployment).where(Deployment.id == deployment_id).values(**values))
        )

    def newest(self, machine: Machine) -> Deployment:
        """Return a machine's newest deployment."""
        return self.stable.deployments(machine)[-1]


@pytest.fixture
def yard(stable: Stable, tmp_path: Path) -> Yard:
    """Return a worker's runner on a pool without machines."""
    return Yard(stable, tmp_path)


def test_a_new_machine_is_inspected_wiped_and_offered(yard: Yard) -> None:
    """No worker waits while the machine is at work, and each move is in the audit trail."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    assert yard.runner.run(inspect)
    assert (yard.runner.run(inspect), yard.due()) == (False, [])
    yard.stable.reports_facts(inspect)
    assert yard.due() == [inspect]
    assert yard.runner.run(inspect)
    wipe = yard.newest(machine)
    assert (wipe.kind, wipe.status, yard.stable.state(machine)) == (DeploymentKind.WIPE, DeploymentStatus.OPEN, S.CLEAN)
    assert yard.stable.shop.jobs.of(Job.RUN_MACHINE) == [(wipe.id,)]
    assert yard.runner.run(wipe.id)
    yard.stable.reports_wipe(wipe.id)
    assert yard.runner.run(wipe.id)
    assert (yard.stable.state(machine), yard.due()) == (S.AVAILABLE, [])
    assert [one.status for one in yard.stable.deployments(machine)] == [DeploymentStatus.SUCCEEDED] * 2
    assert yard.power.done[machine.name] == ["network", "clean", "network", "clean"]
    path = [("enroll", "inspect"), ("inspect", "clean"), ("clean", "available")]
    assert yard.stable.moves(machine) == path
    assert yard.stable.machine(machine).facts is not None


def test_a_machine_that_is_not_as_recorded_goes_into_quarantine(yard: Yard) -> None:
    """With what differs as the reason, and an alert; it is switched off first."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    yard.runner.run(inspect)
    yard.stable.reports_facts(inspect, serial="OTHER", cores=2)
    yard.runner.run(inspect)
    assert yard.stable.state(machine) is S.QUARANTINE
    reason = yard.stable.machine(machine).state_reason
    assert "the serial number is 'OTHER'" in reason
    assert "the number of cores is 2" in reason
    assert yard.newest(machine).error_code == "hardware_differs"
    assert [alert.subject_id for alert in yard.stable.shop.all(Alert)] == [str(machine.id)]
    assert yard.power.done[machine.name] == ["network", "clean"]


def test_a_card_more_is_learnt(yard: Yard) -> None:
    """The next inspection misses it if it is gone."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    yard.runner.run(inspect)
    extra = machine_mac(60_000)
    nics = [{"name": "eth0", "mac": machine.boot_mac}, {"name": "eth1", "mac": extra}]
    yard.stable.reports_facts(inspect, nics=nics)
    yard.runner.run(inspect)
    assert set(yard.stable.machine(machine).macs) == {machine.boot_mac, extra}


def test_a_bmc_that_is_busy_is_asked_again_later(yard: Yard) -> None:
    """The worker does something else meanwhile; nothing is given up before the deployment's time is over."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    yard.power.failures[machine.name].append(BUSY)
    assert yard.runner.run(inspect)
    assert (yard.stable.state(machine), yard.due()) == (S.INSPECT, [])
    yard.lapse(inspect)
    assert yard.due() == [inspect]
    assert yard.runner.run(inspect)
    assert yard.power.done[machine.name] == ["network"]
    assert yard.due() == []


def test_a_bmc_that_is_busy_for_too_long_is_given_up(yard: Yard) -> None:
    """At the latest when the deployment's time is over."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    yard.stable.past_deadline(inspect)
    yard.power.failures[machine.name].append(BUSY)
    yard.runner.run(inspect)
    assert (yard.stable.state(machine), yard.newest(machine).error_code) == (S.QUARANTINE, "deadline")


def test_a_bmc_that_refuses_ends_it(yard: Yard) -> None:
    """Trying again could lock the account."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    yard.power.failures[machine.name].append(REFUSED)
    yard.runner.run(inspect)
    assert (yard.stable.state(machine), yard.newest(machine).error_code) == (S.QUARANTINE, "bmc_refused")


def test_a_machine_that_cannot_be_switched_off_is_not_offered(yard: Yard) -> None:
    """However well it was wiped: its BMC may hold what the last customer left there."""
    machine = yard.stable.add(S.CLEAN)
    wipe = _wiping(yard, machine)
    yard.stable.reports_wipe(wipe)
    yard.power.failures[machine.name].append(REFUSED)
    yard.runner.run(wipe)
    assert yard.stable.state(machine) is S.QUARANTINE


@pytest.mark.parametrize("status", [DeploymentStatus.SUCCEEDED, DeploymentStatus.OPEN])
def test_a_wipe_that_no_report_proves_is_not_believed(yard: Yard, status: DeploymentStatus) -> None:
    """Whatever the row says of its end, the gate stays shut."""
    machine = yard.stable.add(S.CLEAN)
    wipe = _wiping(yard, machine)
    yard.stable.shows_itself(wipe)
    yard.stable.change(
        lambda session: session.execute(update(Deployment).where(Deployment.id == wipe).values(status=status))
    )
    yard.runner.run(wipe)
    expected = S.QUARANTINE if status is DeploymentStatus.SUCCEEDED else S.CLEAN
    assert yard.stable.state(machine) is expected


def test_a_machine_that_gave_up_by_itself_is_switched_off_and_kept_away(yard: Yard) -> None:
    """Even if its BMC does not answer: it goes into quarantine anyway."""
    machine = yard.stable.add(S.CLEAN)
    wipe = _wiping(yard, machine)
    ended = {"status": DeploymentStatus.FAILED, "error_code": "disk_error", "error_detail": "sda does not answer"}
    yard.stable.change(lambda session: session.execute(update(Deployment).where(Deployment.id == wipe).values(**ended)))
    yard.power.failures[machine.name].append(BUSY)
    assert yard.due() == [wipe]
    yard.runner.run(wipe)
    assert yard.stable.state(machine) is S.QUARANTINE
    assert "sda does not answer" in yard.stable.machine(machine).state_reason


def test_a_worker_that_died_is_followed_by_another(yard: Yard) -> None:
    """Between its note and the BMC's yes nobody knows whether the machine is on: it is switched on again."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    errand = yard.taken(inspect)
    yard.preparing(lambda preparation: preparation.starts(errand))
    assert (yard.runner.run(inspect), yard.due()) == (False, [])
    yard.lapse(inspect)
    assert yard.runner.run(inspect)
    assert yard.power.done[machine.name] == ["network"]
    with pytest.raises(LeaseLost):
        yard.preparing(lambda preparation: preparation.began(errand))
    with pytest.raises(LeaseLost):
        yard.preparing(lambda preparation: preparation.starts(errand))


def test_a_machine_that_was_heard_of_is_not_switched_on_again(yard: Yard) -> None:
    """Its worker died after the BMC's yes: the machine goes on by itself."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    errand = yard.taken(inspect)
    yard.preparing(lambda preparation: preparation.starts(errand))
    yard.stable.shows_itself(inspect, DeploymentPhase.SCRIPT)
    yard.lapse(inspect)
    assert yard.due() == []
    yard.stable.reports_facts(inspect)
    assert yard.due() == [inspect]


def test_one_worker_does_a_step(yard: Yard) -> None:
    """A hint that comes twice, and a sweep besides."""
    machine = yard.stable.add(S.ENROLL)
    inspect = yard.inspect(machine)
    results = at_once([partial(yard.runner.run, inspect)] * 3)
    assert sorted(results) == [False, False, True]
    assert yard.power.done[machine.name] == ["network"]


def test_an_engines_deployments_are_none_of_the_runners_business(yard: Yard) -> None:
    """They have an operation, whose engine follows them."""
    order_id = yard.stable.shop.place_paid()
    operation_id = yard.stable.shop.operations(order_id)[-1].id
    machine = yard.stable.add(S.CLEAN)
    wipe = _wiping(yard, machine)
    yard.stable.change(
        lambda session: session.execute(
            update(Deployment).where(Deployment.id == wipe).values(operation_id=operation_id)
        )
    )
    assert (yard.due(), yard.runner.run(wipe)) == ([], False)


def _wiping(yard: Yard, machine: Machine) -> UUID:
    """Have a machine that is `clean` being wiped, and switched on for it."""
    values = {
        "kind": DeploymentKind.WIPE,
        "key": "wipe",
        "machine_id": machine.id,
        "deadline_at": func.now() + timedelta(hours=1),
    }

    def begin(session: Any) -> UUID:
        deployment = Deployment(status=DeploymentStatus.OPEN, **values)
        session.add(deployment)
        session.flush()
        return deployment.id

    wipe = yard.stable.change(begin)
    assert yard.runner.run(wipe)
    return wipe
