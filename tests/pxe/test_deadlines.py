"""How long what may take."""

import pytest

from components.specs.machine import DeploymentKind, DeploymentPhase
from pxe.deadlines import Deadlines
from pxe.errors import BadMetalSettings

INSTALL, WIPE = DeploymentKind.INSTALL, DeploymentKind.WIPE


def test_every_phase_has_its_time_and_nothing_told_yet_is_the_first() -> None:
    """A wipe may write for more than a day; what it reads back is samples."""
    deadlines = Deadlines()
    assert all(deadlines.of(INSTALL, phase) > 0 for phase in DeploymentPhase)
    assert deadlines.of(INSTALL, None) == deadlines.of(INSTALL, DeploymentPhase.POWER)
    assert deadlines.of(WIPE, DeploymentPhase.WRITE) > 86_400 > deadlines.of(INSTALL, DeploymentPhase.WRITE)
    assert deadlines.of(WIPE, DeploymentPhase.VERIFY) < 3600


def test_single_ones_are_overridden() -> None:
    """By the environment, for tests and small labs."""
    deadlines = Deadlines.parse(" power=5, write=20,poll=0.1,wipe=30 ")
    assert (deadlines.of(INSTALL, DeploymentPhase.POWER), deadlines.of(INSTALL, DeploymentPhase.WRITE)) == (5, 20)
    assert (deadlines.of(WIPE, DeploymentPhase.WRITE), deadlines.poll) == (30, 0.1)
    assert deadlines.of(INSTALL, DeploymentPhase.VERIFY) == Deadlines().of(INSTALL, DeploymentPhase.VERIFY)
    assert Deadlines.parse("") == Deadlines()


@pytest.mark.parametrize("text", ["power", "power=", "power=-1", "power=0", "power=inf", "power=nan", "lunch=5"])
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    """With what there is to set."""
    with pytest.raises(BadMetalSettings, match=r"SLIPWAY_METAL_DEADLINES: .*(name=seconds|there are .*power)"):
        Deadlines.parse(text)
