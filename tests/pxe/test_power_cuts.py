"""Power is cut while a machine of QEMU is installed, in every phase that it goes through."""

import pytest

from components.specs.machine import MachineState
from pxe.deadlines import Deadlines
from pxe.errors import Cancelled, PhaseOverdue
from tests.fixtures.metal_site import MetalSite


def test_a_machine_whose_power_is_cut_in_every_phase_is_installed_in_the_end(metal_site: MetalSite) -> None:
    """Two cuts an installation are made good; a third ends it with a sentence, and the next try succeeds.

    Before anything is written the disk is blank after three cuts; what is half written or half configured is written
    anew; what was installed when the power went is started, and not written again.
    """
    site, gate = metal_site, metal_site.crossing.gate

    with (
        site.power_is_cut_at(site.asks_for_an_address(), gate("initrd"), gate("checkin")),
        pytest.raises(PhaseOverdue, match=r"power went off in phase 'inspect', again .*\(metal/phase_overdue, again"),
    ):
        site.install()
    assert site.machine.disk_sums() == site.blank
    assert (site.row.state, site.machine.is_on) == (MachineState.DEPLOYING, False)

    with (
        site.power_is_cut_at(site.writes(), gate("verify"), gate("configure")),
        pytest.raises(PhaseOverdue, match="power went off in phase 'configure'"),
    ):
        site.install()
    assert (site.row.state, site.machine.is_on) == (MachineState.DEPLOYING, False)

    with site.power_is_cut_at(gate("reboot"), gate("running", is_lost=True)):
        outputs = site.install()
    assert (outputs["image"], outputs["started"]) == ("tiny-a", True)
    assert site.ends == [("failed", "deadline"), ("failed", "deadline"), ("succeeded", None)]
    assert [one.boots for one in site.deployments] == [2, 3, 1]
    assert site.row.state is MachineState.ACTIVE
    assert site.ssh("cat /etc/slipway-image") == "tiny-a\n"


def test_power_that_is_back_before_anybody_looks_is_noticed_by_silence(metal_site: MetalSite) -> None:
    """The machine is on and boots what is half written; it is booted from the network again."""
    site, writing = metal_site, metal_site.writes()
    site.deadlines = Deadlines.parse("poll=0.1,look=0.5,silence=25")

    def restart() -> None:
        writing.wait()
        site.machine.reset()
        asked = site.crossing.gate("script")
        asked.wait()
        site.is_stopping = True

    with site.meanwhile(restart), pytest.raises(Cancelled):
        site.install()

    site.crossing.open()
    assert [one.boots for one in site.deployments] == [2]
    assert "it fell silent: told so once more, and switched on" in site.service.log(site.deployments[0].id)
