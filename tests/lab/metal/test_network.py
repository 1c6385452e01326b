"""A provisioning network is its run's own, and leaves nothing behind."""

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from lab.metal.network import ProvisioningNetwork, remove_leftovers
from lab.metal.tools import MetalLabError, run
from tests.fixtures.engine import until

pytestmark = pytest.mark.usefixtures("metal_tools")


def _names() -> set[str]:
    """Of namespaces and links; a link's is followed by "@" and its other end."""
    namespaces = run(["ip", "netns", "list"]).splitlines()
    links = run(["ip", "-o", "link"]).splitlines()
    return {line.split()[0] for line in namespaces} | {line.split()[1].rstrip(":").split("@")[0] for line in links}


def test_two_networks_have_subnets_of_their_own(tmp_path: Path) -> None:
    """Runs side by side do not meet, and both are gone at the end."""
    with ProvisioningNetwork(tmp_path) as one, ProvisioningNetwork(tmp_path) as other:
        names = (one.namespace, other.namespace)

        assert not one.subnet.overlaps(other.subnet)
        assert _names().issuperset(names)

    assert not [name for name in _names() if name.removesuffix("h") in names]


def _live_and_wait(folder: str, told: Connection) -> None:
    with ProvisioningNetwork(Path(folder)) as network:
        network.start_dnsmasq(f"port=0\ninterface={network.interface}\nbind-interfaces\n")
        told.send(network.namespace)
        signal.pause()


def _inside(namespace: str) -> list[int]:
    """The processes in a namespace; a program is not yet there when it has just been started."""
    return [int(number) for number in run(["ip", "netns", "pids", namespace]).split()]


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """Its namespace, its link, and the dnsmasq that still ran."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    victim = context.Process(target=_live_and_wait, args=(str(tmp_path), there))
    victim.start()
    assert here.poll(60)
    name = here.recv()
    until(lambda: bool(_inside(name)))
    (left,) = _inside(name)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(10)
    victim.close()
    here.close()
    there.close()

    remove_leftovers()

    # Somebody else's run, which begins just now, may be about to remove it already.
    until(lambda: not {name, f"{name}h"} & _names())
    until(lambda: not Path(f"/proc/{left}/exe").exists())


def test_a_configuration_that_dnsmasq_refuses_is_an_error(tmp_path: Path) -> None:
    """What it says is in the message."""
    with (
        ProvisioningNetwork(tmp_path) as network,
        pytest.raises(MetalLabError, match="bad option"),
    ):
        network.start_dnsmasq("no-such-option=1\n")
