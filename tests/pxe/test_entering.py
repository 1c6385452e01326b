"""An operation on a machine that gets into the deployer through a rescue system, which takes minutes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from components.specs.machine import DeploymentPhase
from pxe.errors import Cancelled, DeploymentFailed
from pxe.hands import Hands
from pxe.obedience import MachinePower
from pxe.power.driver import Capability
from pxe.power.fake_driver import in_process
from pxe.power.interfaces import DeployerInterface, nothing
from pxe.power.timing import Timing
from pxe.provider import InstallationProvider
from tests.fakes.machine_api import FakeDeployment
from tests.fixtures.machine_stack import PASSWORD, USER, Metal


@dataclass
class SlowStart:
    """A deployer that takes ten minutes to be entered; ``inner`` starts it in the end.

    Attributes:
        at_minute: what happens while it is waited for.
    """

    inner: DeployerInterface
    metal: Metal
    at_minute: dict[int, Callable[[], None]]
    left: int = 0

    def start(self, look: Callable[[], None] = nothing) -> None:
        """See ``DeployerInterface``."""
        for minute in range(10):
            self.at_minute.get(minute, nothing)()
            look()
            self.metal.clock.pause(60)
        self.inner.start()

    def leave(self) -> None:
        """See ``DeployerInterface``."""
        self.left += 1


def entering(metal: Metal, at_minute: dict[int, Callable[[], None]]) -> tuple[InstallationProvider, SlowStart]:
    """Return a provider whose machine is entered so, and which does not tell whether it is on."""
    driver = in_process(metal.iron, USER, PASSWORD, Timing(clock=metal.clock, pause=metal.clock.pause))
    slow = SlowStart(driver.deployer, metal, at_minute)
    silent = replace(driver, deployer=slow, capabilities=driver.capabilities - {Capability.POWER_STATE})

    def hands() -> Hands:
        usual = metal.hands()
        return replace(usual, holding=replace(usual.holding, power=MachinePower(silent, pause=metal.clock.pause)))

    provider = InstallationProvider()
    provider.connect(hands)
    return provider, slow


def test_it_is_installed_and_leaves_the_provisioning_network(metal: Metal) -> None:
    """However long it took; once, before a customer has it."""
    inputs = metal.claimed()["installation"]
    provider, slow = entering(metal, {})
    outs = provider.create(inputs).outs
    assert outs is not None
    assert outs["profile_digest"] == inputs["profile_digest"]
    assert slow.left == 1


def test_a_cancellation_ends_the_wait(metal: Metal) -> None:
    """The machine is not entered, and its deployment is over."""
    inputs = metal.claimed()["installation"]

    def cancel() -> None:
        metal.api.deployments[-1].is_cancel_requested = True

    provider, _ = entering(metal, {2: cancel})
    with pytest.raises(Cancelled):
        provider.create(inputs)
    (deployment,) = metal.api.deployments
    assert (deployment.status, deployment.error[0], metal.iron.boots) == ("failed", "cancelled", [])
    assert metal.clock() < 200


def test_a_deployment_that_somebody_ends_ends_the_wait(metal: Metal) -> None:
    """A person at the admin's page."""
    inputs = metal.claimed()["installation"]
    provider, _ = entering(metal, {3: lambda: metal.api.end(metal.api.deployments[-1], "aborted")})
    with pytest.raises(DeploymentFailed, match="the install is aborted in phase 'power'"):
        provider.create(inputs)
    assert metal.iron.boots == []


def test_its_power_is_not_asked_after_while_it_is_followed(metal: Metal) -> None:
    """At Robot each look is one of 200 requests an hour; a wipe takes hours."""
    inputs = metal.claimed()["installation"]
    provider, _ = entering(metal, {})
    looked: list[int] = []

    def count(_deployment: FakeDeployment) -> None:
        looked.append(metal.iron.calls["power"])
        metal.clock.pause(100)

    metal.api.at[DeploymentPhase.WRITE] = count
    metal.api.at[DeploymentPhase.CONFIGURE] = count
    provider.create(inputs)
    assert looked[0] == looked[1]
