"""The network stack by the real CLI, engine and plugins, against the lab."""

import httpx
import pytest
import yaml

from lab.client import RunningLab
from tests.fixtures.platform_stacks import PlatformStacks
from tests.stacks.platform.conftest import VSwitchesThere

pytestmark = pytest.mark.engine

STACK = "lab-network"
MADE = {
    "networks": ["lab"],
    "firewalls": ["bastion", "control", "observability"],
    "floating_ips": ["lab-entry"],
    "ssh_keys": ["lab-admin"],
}


@pytest.fixture
def stacks(stacks: PlatformStacks) -> PlatformStacks:
    """The estate with this stack described and not brought up."""
    stacks.add(STACK)
    return stacks


def subnets_and_routes(lab: RunningLab) -> tuple[list[str], list[str]]:
    """What the lab's one network consists of."""
    (network,) = lab.truth.hcloud.networks.get_all()
    return sorted(item.ip_range for item in network.subnets), sorted(item.destination for item in network.routes)


PARTS = (
    ["10.10.0.0/24", "10.10.1.0/24", "10.10.16.0/24", "10.10.2.0/24"],
    ["0.0.0.0/0", "10.10.250.0/24"],
)


def test_the_policy_pack_judges_a_platform_stack(stacks: PlatformStacks, lab: RunningLab) -> None:
    """Ours passes every rule; a firewall that opens the shell to everybody is refused before anything is made."""
    done = stacks.run("preview", STACK, "--policy-pack", "stacks/policy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "slipway@v1.0.0" in done.stdout

    file = stacks.folder / f"Pulumi.{STACK}.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    rule = {"description": "Shell", "protocol": "tcp", "ports": "22", "sources": ["0.0.0.0/0"]}
    document["config"]["slipway:spec"]["firewalls"][0]["rules"] = [rule]
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    refused = stacks.run("up", STACK, "--yes", "--skip-preview", "--policy-pack", "stacks/policy")
    assert refused.returncode != 0
    assert "lets the whole Internet at port 22" in refused.stdout
    assert lab.truth.hcloud.firewalls.get_all(name=document["config"]["slipway:spec"]["firewalls"][0]["name"]) == []


def test_an_estates_networks_come_up_stay_the_same_and_go(
    stacks: PlatformStacks, lab: RunningLab, vswitches: VSwitchesThere
) -> None:
    """What other stacks stand on is exported; a preview right after is empty, with and without a refresh."""
    outputs = stacks.up(STACK)
    (network,) = lab.truth.hcloud.networks.get_all()
    assert outputs["network_id"] == str(network.id)
    assert outputs["subnets"]["control"] == {"id": f"{network.id}-10.10.0.0/24", "cidr": "10.10.0.0/24"}
    (robots,) = [item.vswitch_id for item in network.subnets if item.type == "vswitch"]
    assert outputs["vswitches"] == {"lab-private": {"id": robots, "vlan": 4000, "mtu": 1400}}
    assert outputs["private_lans"][0] == {
        "name": "lan-1",
        "tag": 10001,
        "cidr": "192.168.101.0/24",
        "vswitch": "lab-private",
    }
    assert set(outputs["firewalls"]) == set(MADE["firewalls"])
    assert outputs["ssh_keys"] == [str(lab.truth.hcloud.ssh_keys.get_all()[0].id)]
    assert (lab.truth.cloud(), vswitches()) == (MADE, [("lab-private", 4000)])
    assert subnets_and_routes(lab) == PARTS
    assert lab.truth.hcloud.floating_ips.get_all()[0].dns_ptr[0]["dns_ptr"] == "entry.slipway.example"

    assert stacks.pending(STACK) == {}
    assert stacks.pending(STACK, "--refresh") == {}
    state = stacks.state(STACK)
    assert not [secret for secret in stacks.secrets if secret in state]

    stacks.destroy(STACK)
    assert (lab.truth.cloud(), vswitches()) == ({}, [])


def test_what_was_done_by_hand_is_seen_and_put_right(
    stacks: PlatformStacks, lab: RunningLab, robot: httpx.Client
) -> None:
    """Labels, a firewall's rules, a route and a server on the vSwitch."""
    number = stacks.up(STACK)["vswitches"]["lab-private"]["id"]
    cloud = lab.truth.hcloud
    network, firewall = cloud.networks.get_by_name("lab"), cloud.firewalls.get_by_name("bastion")
    assert network is not None
    assert firewall is not None
    network.update(labels={"managed-by": "somebody"})
    firewall.set_rules([])
    network.delete_route(next(route for route in network.routes if route.destination == "0.0.0.0/0"))
    robot.request("DELETE", f"/vswitch/{number}/server", data={"server[]": [321_001]})

    seen = stacks.pending(STACK, "--refresh")
    assert {operation: sorted(kinds) for operation, kinds in seen.items()} == {
        "create": ["NetworkRoute"],
        "update": ["Firewall", "Network", "VSwitch"],
    }

    stacks.up(STACK, "--refresh")
    assert stacks.pending(STACK, "--refresh") == {}
    assert subnets_and_routes(lab) == PARTS
    again = cloud.networks.get_by_id(network.id)
    assert again.labels == {"managed-by": "slipway", "estate": "lab", "stack": "network"}


@pytest.mark.parametrize("kind", ["late_error", "lose_answer"])
def test_what_a_lost_answer_left_behind_is_taken_over_by_the_next_run(
    stacks: PlatformStacks, lab: RunningLab, vswitches: VSwitchesThere, kind: str
) -> None:
    """Everything that can be made is made once with its answer lost: nobody has to import anything by hand."""
    one_after_the_other = ["networks", "networks/*/actions/add_subnet", "networks/*/actions/add_route"]
    paths = [*one_after_the_other, "firewalls", "ssh_keys", "floating_ips"]
    for path in paths:
        lab.faults.hcloud.add(kind, method="POST", path=f"/v1/{path}", times=1)

    failed = 0
    while stacks.run("up", STACK, "--yes", "--skip-preview").returncode != 0:
        failed += 1
        assert failed <= len(paths)

    # How many of the others are begun before the engine sees the first one fail is a matter of luck.
    assert failed >= len(one_after_the_other)
    assert [fault.hits for fault in lab.faults.hcloud.all()] == [1] * len(paths)
    assert (lab.truth.cloud(), vswitches()) == (MADE, [("lab-private", 4000)])
    assert subnets_and_routes(lab) == PARTS
    assert stacks.pending(STACK, "--refresh") == {}
    stacks.destroy(STACK)
    assert (lab.truth.cloud(), vswitches()) == ({}, [])


def test_a_run_that_broke_off_is_taken_up_again(stacks: PlatformStacks, lab: RunningLab) -> None:
    """Hetzner fails half-way; what was made stays and is known, and the rest follows."""
    with lab.faults.hcloud.during("error", method="POST", path="/v1/networks/*/actions/add_subnet"):
        assert "fault caused by the lab" in stacks.refuses(STACK)
    assert lab.truth.cloud()["networks"] == ["lab"]

    stacks.up(STACK)

    assert subnets_and_routes(lab) == PARTS
    assert stacks.pending(STACK, "--refresh") == {}


def test_a_wrong_plan_is_refused_by_file_line_and_key_before_anything_is_there(
    stacks: PlatformStacks, lab: RunningLab, vswitches: VSwitchesThere
) -> None:
    """Whoever has made the mistake can click on it."""
    file = stacks.folder / f"Pulumi.{STACK}.yaml"
    text = file.read_text().replace(
        "name: observability, cidr: 10.10.2.0/24", "name: observability, cidr: 10.10.1.0/25"
    )
    file.write_text(text)
    line = next(number for number, content in enumerate(text.splitlines(), 1) if "10.10.1.0/25" in content)

    said = stacks.refuses(STACK)

    assert (
        f"Pulumi.{STACK}.yaml:{line}: slipway:spec.network.subnets.2.cidr: 10.10.1.0/25 (subnet 'observability') "
        "overlaps 10.10.1.0/24 (subnet 'edge'): give one of them another range"
    ) in said
    assert "Traceback" not in said
    assert (lab.truth.cloud(), vswitches()) == ({}, [])


def test_a_wrong_token_is_one_question_and_one_sentence(stacks: PlatformStacks, lab: RunningLab) -> None:
    """Nothing is tried any further."""
    stacks.environment["HCLOUD_TOKEN"] = "x" * 64

    said = stacks.refuses(STACK)

    assert "Hetzner Cloud refuses to list networks (401" in said
    assert "check HCLOUD_TOKEN" in said
    assert "Traceback" not in said
    assert lab.truth.cloud() == {}
