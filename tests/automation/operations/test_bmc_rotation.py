"""A BMC's password between two customers: real PostgreSQL, a fake engine, and BMCs that know who may log in."""

import logging
from uuid import UUID

import pytest

from api.machines.lifecycle import lock_machine
from api.machines.models import Machine
from api.machines.power_wishes import PowerWishes
from api.operations.models import OperationStatus
from api.orders.models import OrderStatus
from automation.engine.contract import EngineFailure
from automation.engine.scrub import MASK, Scrubber, secret_values
from automation.metal.drivers import BmcDrivers
from automation.metal.passwords import BmcPasswords
from automation.metal.power import PowerVerb
from automation.metal.switching import MachineSwitch
from components.specs.machine import MachineState
from pxe.power.driver import Driver
from pxe.power.fake import FakeMachine
from pxe.power.interfaces import PowerState
from pxe.power.settings import BmcSettings
from tests.fixtures.crash_points import WorkerKilled
from tests.fixtures.machines import BMC_PASSWORD
from tests.fixtures.metal_shop import MetalShop
from tests.fixtures.trail import records

USER = "slipway"
NOW, NEXT = "SLIPWAY_BMC_PASSWORD", "SLIPWAY_BMC_NEXT_PASSWORD"


@pytest.fixture
def order_id(metal_shop: MetalShop) -> UUID:
    """Return an order of a machine that was delivered."""
    metal_shop.add_machine()
    return metal_shop.delivered()


def passwords(shop: MetalShop, machine: Machine) -> tuple[str | None, str | None]:
    """Return what is recorded: the password, and the next one."""
    row, vault = shop.stable.machine(machine), shop.stable.shop.vault
    sealed = (row.bmc_password_encrypted, row.bmc_next_password_encrypted)
    now, following = (None if one is None else vault.open(one) for one in sealed)
    return now, following


def bmc(shop: MetalShop, machine: Machine) -> FakeMachine:
    """Return a machine's BMC."""
    return shop.bmcs.machine(machine.bmc_system)


def remove(shop: MetalShop, order_id: UUID) -> Machine:
    """Cancel an order and have a worker remove it; returns its machine."""
    machine = shop.machine(order_id)
    shop.desk.cancel(order_id)
    shop.rig.run(order_id)
    return machine


def left_uncertain(shop: MetalShop, order_id: UUID) -> Machine:
    """Remove an order; from when its BMC has the next password, nobody can ask it which it takes."""
    shop.engine.at_clean = lambda: setattr(shop.bmcs, "is_reachable", False)
    machine = remove(shop, order_id)
    shop.bmcs.is_reachable = True
    now, following = passwords(shop, machine)
    assert (now, bmc(shop, machine).users) == (BMC_PASSWORD, {USER: following})
    assert shop.stable.state(machine) is MachineState.AVAILABLE
    return machine


class TestRotation:
    def test_the_next_customers_machine_has_another_password(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """What the last one may have learnt, or made, is of no use any more."""
        bmc(metal_shop, metal_shop.machine(order_id)).users["intruder"] = "made by root"
        machine = remove(metal_shop, order_id)
        now, following = passwords(metal_shop, machine)
        assert (following, bmc(metal_shop, machine).users) == (None, {USER: now})
        assert now != BMC_PASSWORD
        assert bmc(metal_shop, machine).refused == 0
        again = metal_shop.delivered()
        assert metal_shop.machine(again).id == machine.id
        remove(metal_shop, again)
        assert passwords(metal_shop, machine) not in {(now, None), (BMC_PASSWORD, None)}
        assert bmc(metal_shop, machine).refused == 0

    def test_only_a_removal_gets_both_and_the_next_is_recorded_before(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """Whatever dies afterwards, what the BMC takes is one of two that are known."""
        machine, seen = metal_shop.machine(order_id), []
        metal_shop.engine.at_clean = lambda: seen.append(passwords(metal_shop, machine))
        remove(metal_shop, order_id)
        first, last = metal_shop.engine.environments
        assert NEXT not in first
        assert seen == [(last[NOW], last[NEXT])]
        assert (last[NOW], passwords(metal_shop, machine)) == (BMC_PASSWORD, (last[NEXT], None))

    def test_a_bmc_whose_users_are_not_ours_keeps_its_password(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """The driver says so without a call; none is even made up."""
        metal_shop.bmcs.has_accounts = False
        machine = remove(metal_shop, order_id)
        assert passwords(metal_shop, machine) == (BMC_PASSWORD, None)
        assert bmc(metal_shop, machine).users == {USER: BMC_PASSWORD}
        assert NEXT not in metal_shop.engine.environments[-1]

    def test_a_bmc_that_did_not_take_it_keeps_what_it_has(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """Some have no way to change it: the next login is the old one, and nothing is uncertain."""
        metal_shop.engine.skips.add("clean")
        machine = remove(metal_shop, order_id)
        assert passwords(metal_shop, machine) == (BMC_PASSWORD, None)
        assert bmc(metal_shop, machine).refused == 1

    def test_nothing_shows_either(
        self, metal_shop: MetalShop, order_id: UUID, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not in logs, the operation's events, the job that is written to disk, the trail, or an engine's message."""
        caplog.set_level(logging.DEBUG)
        remove(metal_shop, order_id)
        environment, stable = metal_shop.engine.environments[-1], metal_shop.stable
        lines = metal_shop.desk.lines(metal_shop.desk.latest(order_id).id)
        trail = records(stable.database)
        shown = [caplog.text, *(line.message + str(line.data) for line in lines), repr(metal_shop.engine.runs[-1].job)]
        shown += [f"{one.reason} {one.diff}" for one in trail]
        assert not any(environment[name] in text for name in (NOW, NEXT) for text in shown)
        assert "machine.rotate_credential" in {one.action for one in trail}
        scrub = Scrubber(secret_values(environment))
        assert scrub(f"it said {environment[NOW]} and {environment[NEXT]}") == f"it said {MASK} and {MASK}"


class TestCutOff:
    def test_a_removal_that_fails_after_the_rotation_goes_on_with_the_same(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """The engine finds out that the next one is in force; it is kept, not made anew."""
        failure = EngineFailure("machine_failed", "The machine API is away.", retryable=True)
        metal_shop.engine.at_clean = lambda: failure
        machine = remove(metal_shop, order_id)
        assert metal_shop.desk.latest(order_id).status is OperationStatus.QUEUED
        now, following = passwords(metal_shop, machine)
        assert (now, bmc(metal_shop, machine).users) == (BMC_PASSWORD, {USER: following})
        metal_shop.engine.at_clean = lambda: None
        metal_shop.rig.run(order_id)
        first, second = metal_shop.engine.environments[-2:]
        assert (second[NOW], second[NEXT]) == (first[NOW], first[NEXT])
        assert metal_shop.stable.state(machine) is MachineState.AVAILABLE
        assert passwords(metal_shop, machine) == (following, None)
        assert bmc(metal_shop, machine).refused == 1

    def test_a_worker_that_dies_between_rotation_and_promotion_is_followed_by_one_that_promotes(
        self, metal_shop: MetalShop, order_id: UUID
    ) -> None:
        """The machine is back in the pool by then, and its BMC is asked which it takes."""
        machine = metal_shop.machine(order_id)

        def dying(settings: BmcSettings) -> Driver:
            if settings.password.get_secret_value() != BMC_PASSWORD:
                raise WorkerKilled("as it looks which one is in force")
            return metal_shop.bmcs.driver(settings)

        metal_shop.rig.bmcs = dying
        with pytest.raises(WorkerKilled):
            remove(metal_shop, order_id)
        now, following = passwords(metal_shop, machine)
        assert (now, bmc(metal_shop, machine).users) == (BMC_PASSWORD, {USER: following})
        metal_shop.rig.bmcs = metal_shop.bmcs.driver
        metal_shop.desk.lapse(metal_shop.desk.latest(order_id).id)
        metal_shop.rig.run(order_id)
        assert metal_shop.desk.latest(order_id).status is OperationStatus.SUCCEEDED
        assert passwords(metal_shop, machine) == (following, None)

    def test_the_next_order_finds_out_what_nobody_could(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """One login is refused, one is taken, and that one is the password from then on."""
        machine = left_uncertain(metal_shop, order_id)
        _, following = passwords(metal_shop, machine)
        before = bmc(metal_shop, machine).refused
        again = metal_shop.delivered()
        assert metal_shop.machine(again).id == machine.id
        assert metal_shop.engine.environments[-1][NOW] == following
        assert (passwords(metal_shop, machine), bmc(metal_shop, machine).refused) == ((following, None), before + 1)

    def test_staff_find_out_as_well(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """Switching it on is a login like any other."""
        machine = left_uncertain(metal_shop, order_id)
        _, following = passwords(metal_shop, machine)
        connect, stable = metal_shop.bmcs.driver, metal_shop.stable
        login = BmcPasswords(stable.database, stable.shop.vault, connect).in_force
        stable.change(lambda session: PowerWishes(session).ask(lock_machine(session, machine.id), PowerVerb.ON))
        assert MachineSwitch(stable.database, BmcDrivers(login, connect)).switch(machine.id, PowerVerb.ON)
        assert bmc(metal_shop, machine).power is PowerState.ON
        assert passwords(metal_shop, machine) == (following, None)

    def test_a_bmc_that_takes_neither_leaves_both_recorded(self, metal_shop: MetalShop, order_id: UUID) -> None:
        """A person has to look; each was tried once, and what either is worth is not for us to say."""
        machine = left_uncertain(metal_shop, order_id)
        both = passwords(metal_shop, machine)
        bmc(metal_shop, machine).users[USER] = "changed by hand"
        before = bmc(metal_shop, machine).refused
        again = metal_shop.place_paid()
        metal_shop.rig.run(again)
        assert metal_shop.stable.shop.order(again).status is not OrderStatus.DELIVERED
        assert passwords(metal_shop, machine) == both
        assert bmc(metal_shop, machine).refused >= before + 2
