"""A Redfish controller (sushy-tools) that has no time or does not answer, with a machine of QEMU behind it."""

import time
from dataclasses import replace

import pytest

from components.specs.machine import MachineState
from lab.metal.redfish import RedfishFaults
from pxe.errors import BmcFailed, Cancelled
from tests.fixtures.metal_site import MetalSite
from tests.fixtures.netboot import BOOT_SECONDS

_AT_MOST = 30.0
"""Seconds for three calls that are waited for at most four each, with the pauses between, on a busy computer."""


def test_a_bmc_that_is_of_no_use_ends_the_try_and_not_the_installation(metal_site: MetalSite) -> None:
    """503 for a while is waited for; for ever, or no answer at all, is an error in bounded time that may be retried.

    The next try goes on with the same deployment. If that is cancelled while the BMC hangs, it is over within a few
    calls, and the machine, which could not be switched off, is told to touch nothing, and switches itself off.
    """
    site = metal_site
    usual = replace(site.timing, busy=1.0)
    for broken, timing, says in (
        (RedfishFaults(answers_503=-1), usual, "has no time"),
        (RedfishFaults(hangs=True), replace(usual, call=1.0), "did not answer"),
    ):
        site.rig.redfish.faults, site.timing = broken, timing
        begun = time.monotonic()
        with pytest.raises(BmcFailed, match=rf"{says}.*\(metal/bmc, again\)$"):
            site.install()
        assert time.monotonic() - begun < _AT_MOST
    assert site.ends == [("open", None)]
    assert not site.machine.powered_at

    site.rig.redfish.faults = RedfishFaults(answers_503=2)
    site.timing = replace(usual, call=4.0, busy=10.0)
    loading = site.crossing.gate("kernel")
    cancelled: list[float] = []

    def hang_and_cancel() -> None:
        loading.wait()
        site.rig.redfish.faults = RedfishFaults(hangs=True)
        site.cancel()
        cancelled.append(time.monotonic())
        loading.open()

    with site.meanwhile(hang_and_cancel), pytest.raises(Cancelled):
        site.install()
    assert time.monotonic() - cancelled[0] < _AT_MOST
    assert "could not be switched off" in "\n".join(site.said)
    assert site.ends == [("failed", "cancelled")]
    assert site.machine.wait_off(BOOT_SECONDS)
    assert site.row.state is MachineState.DEPLOYING
    assert site.machine.disk_sums() == site.blank
