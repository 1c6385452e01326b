"""The control plane stack on top of the network stack, by the real CLI, engine and plugins, against the lab."""

import pytest
import yaml

from lab.client import RunningLab
from tests.fixtures.platform_stacks import PlatformStacks

pytestmark = pytest.mark.engine

NETWORK, STACK = "lab-network", "lab-control-plane"
SERVERS = ["api-1", "api-2", "postgres-1", "postgres-2", "redis-1", "worker-1", "worker-2"]


@pytest.fixture
def stacks(stacks: PlatformStacks) -> PlatformStacks:
    """The estate with both stacks described and not brought up."""
    stacks.add(NETWORK)
    stacks.add(STACK)
    return stacks


def test_the_servers_come_up_on_the_networks_outputs_stay_the_same_and_go(
    stacks: PlatformStacks, lab: RunningLab
) -> None:
    """Each is in its subnet and without a public address, those of one role are apart, and a second look is empty."""
    stacks.up(NETWORK)
    outputs = stacks.up(STACK)
    cloud = lab.truth.hcloud
    servers = {server.name: server for server in cloud.servers.get_all()}
    assert sorted(servers) == sorted(outputs["servers"]) == SERVERS
    assert outputs["servers"]["postgres-1"] == {
        "id": str(servers["postgres-1"].id),
        "private_address": "10.10.0.31",
        "role": "postgres",
    }
    assert [part.ip for part in servers["api-2"].private_net] == ["10.10.0.12"]
    assert {server.status for server in servers.values()} == {"running"}
    assert [server.public_net.ipv4 for server in servers.values()] == [None] * len(SERVERS)
    groups = {group.name: sorted(group.servers) for group in cloud.placement_groups.get_all()}
    assert groups["lab-control-postgres"] == sorted([servers["postgres-1"].id, servers["postgres-2"].id])
    booted = yaml.safe_load(lab.faults.hcloud.user_data(servers["worker-1"].id))
    assert "/etc/systemd/system/slipway-worker.service" in [file["path"] for file in booted["write_files"]]

    assert stacks.pending(STACK) == {}
    assert stacks.pending(STACK, "--refresh") == {}
    assert stacks.pending(NETWORK, "--refresh") == {}

    stacks.destroy(STACK)
    stacks.destroy(NETWORK)
    assert lab.truth.cloud() == {}


def test_a_create_that_hetzner_fails_is_made_by_the_next_run(stacks: PlatformStacks, lab: RunningLab) -> None:
    """What was made stays and is known; what a lost answer left behind is taken over; a server is there once."""
    stacks.up(NETWORK)
    lab.faults.hcloud.add("error", method="POST", path="/v1/servers", times=1)
    lab.faults.hcloud.add("late_error", method="POST", path="/v1/servers", times=1, after=1)
    lab.faults.hcloud.add("late_error", method="POST", path="/v1/placement_groups", times=1)
    tries = 0
    while stacks.run("up", STACK, "--yes", "--skip-preview").returncode != 0:
        tries += 1
        assert tries <= 3
    assert [fault.hits for fault in lab.faults.hcloud.all()] == [1, 1, 1]
    assert lab.truth.cloud()["servers"] == SERVERS
    assert stacks.pending(STACK, "--refresh") == {}


def test_without_its_network_the_stack_says_what_has_to_be_there(stacks: PlatformStacks, lab: RunningLab) -> None:
    """The sentence names the stack to bring up first."""
    said = stacks.refuses(STACK)
    assert "lab-network" in said
    assert lab.truth.cloud() == {}


def test_a_name_that_the_network_stack_does_not_know_is_refused_with_those_it_knows(
    stacks: PlatformStacks, lab: RunningLab
) -> None:
    """A firewall, as it is written; no server is made, not even one that the firewall is not for."""
    stacks.up(NETWORK)
    place = stacks.folder / f"Pulumi.{STACK}.yaml"
    place.write_text(place.read_text().replace("firewall: control", "firewall: contrl"))

    said = stacks.refuses(STACK)

    assert "the network stack has no firewall 'contrl'; it has: bastion, control, observability" in said
    assert "servers" not in lab.truth.cloud()
