"""A dedicated machine on the real engine: the program's own stack, a fake machine API and a fake BMC over HTTP."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from pulumi import automation as auto

from automation.toolchain import Toolchain
from components.specs import BareMetalSpec, DnsSpec
from components.specs.machine import DeploymentPhase, MachineState
from lab.client import RunningLab
from lab.metal.fake_bmc import serve_fake_bmcs
from pxe.power.fake import Delays, FakeMachine
from pxe.power.interfaces import BootSource, PowerState
from tests.fakes.machine_api import GRANT, FakeDeployment, FakeMachineApi
from tests.fakes.machine_api_server import serve_machine_api
from tests.fakes.workload_specs import BOOT_MAC, MACHINE_ID, SERIAL, WORKLOAD_ID, bare_metal, machine_image
from tests.fixtures.live_stack import LiveStack

pytestmark = pytest.mark.engine

USER, PASSWORD = "slipway", "a-bmc-password-of-this-test"
OURS = "pulumi-python:dynamic/slipway:"
INSTALLATION = f"{OURS}Installation"


@dataclass
class Rack:
    """One machine, its stack, and who may act on it."""

    iron: FakeMachine
    api: FakeMachineApi
    stack: LiveStack
    dns: DnsSpec

    def spec(self, **changes: Any) -> BareMetalSpec:
        """The machine as it is ordered, in the lab's zone."""
        return bare_metal(dns=self.dns, **changes)

    def ours(self, steps: tuple[tuple[str, str, tuple[str, ...]], ...]) -> list[tuple[str, str]]:
        """What was done to the machine's resources, in order."""
        return [(op, kind.removeprefix(OURS)) for op, kind, _ in steps if kind.startswith(OURS)]


@pytest.fixture
def rack(lab: RunningLab, toolchain: Toolchain, tmp_path: Path) -> Iterator[Rack]:
    """A machine of the pool, wiped and off, and an empty stack whose engine may act on it."""
    quick = Delays(on=0, off=0, graceful=0)
    iron = FakeMachine("dl-1", {USER: PASSWORD}, time.monotonic, time.sleep, serial=SERIAL, delays=quick)
    api = FakeMachineApi(iron, MACHINE_ID, WORKLOAD_ID, BOOT_MAC)
    zone = lab.document.cloudflare
    with serve_fake_bmcs({"dl-1": iron}) as bmc, serve_machine_api(api) as url:
        environment = {
            **toolchain.environment(),
            "CLOUDFLARE_API_TOKEN": zone.api_token,
            "CLOUDFLARE_BASE_URL": zone.base_url,
            "SLIPWAY_METAL_URL": url,
            "SLIPWAY_METAL_GRANT": GRANT,
            "SLIPWAY_METAL_DEADLINES": "poll=0.02,off=5,look=1",
            "SLIPWAY_BMC_DRIVER": "fake",
            "SLIPWAY_BMC_ADDRESS": bmc,
            "SLIPWAY_BMC_SYSTEM": "dl-1",
            "SLIPWAY_BMC_USER": USER,
            "SLIPWAY_BMC_PASSWORD": PASSWORD,
        }
        dns = DnsSpec(zone_id=zone.zone_id, zone_name=zone.zone_name, label="iron")
        yield Rack(iron, api, LiveStack(tmp_path / "stack", environment), dns)


def test_a_machine_comes_up_stays_the_same_and_goes(rack: Rack) -> None:
    """Claimed, to be wiped, told, installed; nothing pending; and all of it backwards."""
    spec = rack.spec()
    made = rack.stack.up(spec)
    assert rack.ours(made.steps) == [
        ("create", "MachineClaim"),
        ("create", "Wipe"),
        ("create", "BootProfile"),
        ("create", "Installation"),
    ]
    expected = {"machine": "dl-1", "image": "debian-12", "hostname": "iron", "fqdn": spec.dns.fqdn}
    assert {name: made.outputs[name] for name in expected} == expected
    assert (made.outputs["ipv4"], made.outputs["ipv6"]) == ("203.0.113.25", "2001:db8:0:19::2")
    assert (rack.api.state, rack.iron.power) == (MachineState.ACTIVE, PowerState.ON)
    assert rack.iron.boots == [BootSource.NETWORK, BootSource.DISK]
    assert rack.stack.preview(spec).steps == ()
    assert rack.stack.preview(spec, refresh=True).steps == ()
    gone = rack.stack.destroy()
    assert [kind for op, kind in rack.ours(gone.steps) if op == "delete"] == [
        "Installation",
        "BootProfile",
        "Wipe",
        "MachineClaim",
    ]
    assert (rack.api.state.value, rack.api.is_written, rack.iron.power.value) == ("available", False, "off")


def test_the_state_holds_neither_grant_nor_bmc(rack: Rack) -> None:
    """Nor any code: the providers are there by name, in fewer bytes than code would take."""
    rack.stack.up(rack.spec())
    state = rack.stack.state()
    assert not any(secret in state for secret in (GRANT, PASSWORD, "SLIPWAY_"))
    providers = re.findall(r'"__provider": "([^"]*)"', state)
    assert len(providers) >= 4
    assert max(map(len, providers)) < 200


def test_drift_of_power_and_image_is_seen_and_put_right(rack: Rack) -> None:
    """One update in place; a machine that was switched off is switched on, and nothing is installed."""
    spec = rack.spec()
    rack.stack.up(spec)
    rack.iron.cut_power()
    assert rack.ours(rack.stack.preview(spec, refresh=True).steps) == [("update", "Installation")]
    rack.stack.refresh_and_up(spec)
    assert (rack.iron.power, len(rack.api.deployments)) == (PowerState.ON, 1)
    assert rack.api.installed is not None
    rack.api.installed["image"] = "windows"
    assert rack.ours(rack.stack.preview(spec, refresh=True).steps) == [("update", "Installation")]
    rack.iron.serial = "SN-2"
    assert rack.ours(rack.stack.preview(spec, refresh=True).steps)[0] == ("update", "MachineClaim")
    with pytest.raises(auto.CommandError, match="has the serial SN-2, and SN-1 is written down"):
        rack.stack.refresh_and_up(spec)
    assert len(rack.api.deployments) == 1


def test_another_image_is_installed_in_place(rack: Rack) -> None:
    """The claim and the wipe are left alone."""
    rack.stack.up(rack.spec())
    spec = rack.spec(image=machine_image("ubuntu-24.04", "b"), installation=2)
    previewed = rack.stack.preview(spec)
    done = rack.stack.up(spec)
    assert (
        rack.ours(done.steps) == rack.ours(previewed.steps) == [("update", "BootProfile"), ("update", "Installation")]
    )
    assert done.outputs["image"] == "ubuntu-24.04"
    assert rack.iron.boots == [BootSource.NETWORK, BootSource.DISK] * 2


def test_an_engine_that_is_killed_is_followed_by_one_that_goes_on(rack: Rack) -> None:
    """The machine installed itself further meanwhile; it is not started again."""

    def kill(_deployment: FakeDeployment) -> None:
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "pulumi.dynamic" in child.cmdline():
                    child.kill()

    rack.api.at[DeploymentPhase.WRITE] = kill
    with pytest.raises(auto.CommandError):
        rack.stack.up(rack.spec())
    assert INSTALLATION not in rack.stack.state()
    done = rack.stack.up(rack.spec())
    assert rack.ours(done.steps) == [("create", "Installation")]
    assert rack.iron.boots == [BootSource.NETWORK, BootSource.DISK]
    assert [one.status for one in rack.api.deployments] == ["succeeded"]


def test_a_cancelled_installation_stops_at_once_and_can_be_taken_down(rack: Rack) -> None:
    """The machine is off; what was made is removed, the disks wiped, the machine given back."""
    rack.api.at[DeploymentPhase.WRITE] = lambda one: setattr(one, "is_cancel_requested", True)
    with pytest.raises(auto.CommandError, match=r"\(metal/cancelled\)"):
        rack.stack.up(rack.spec())
    assert (rack.iron.power, rack.api.deployments[0].error[0]) == (PowerState.OFF, "cancelled")
    rack.stack.destroy()
    assert (rack.api.state.value, rack.api.is_written) == ("available", False)


def test_a_wipe_that_fails_keeps_the_claim(rack: Rack) -> None:
    """Nobody else gets the machine."""
    rack.stack.up(rack.spec())
    rack.api.at[DeploymentPhase.VERIFY] = lambda one: rack.api.end(one, "failed", "not_empty", "3 samples of sda")
    with pytest.raises(auto.CommandError, match="not_empty: 3 samples of sda"):
        rack.stack.destroy()
    assert rack.api.state is MachineState.QUARANTINE
    assert f"{OURS}MachineClaim" in rack.stack.state()
    with pytest.raises(auto.CommandError, match=r"a person has to look at it first \(metal/quarantined\)"):
        rack.stack.destroy()
