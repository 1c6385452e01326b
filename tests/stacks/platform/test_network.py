"""What the network stack declares and tells Inventory."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.platform.cloud_project import CloudProject
from components.specs.platform import NetworkReport
from components.specs.platform.network import NetworkSpec
from stacks.platform.network import NetworkProgram, networks
from stacks.platform.program import Estate
from tests.fakes.pulumi_monitor import Program, run_program
from tests.fixtures.platform_stacks import lab_spec


@pytest.fixture(scope="module")
def spec() -> NetworkSpec:
    """The lab's plan, with an address of each kind."""
    document = lab_spec("lab-network")
    del document["floating_ips"][0]["rdns"]  # what it would be of, only Hetzner knows
    document["primary_ips"] = [{"name": "status", "family": 6, "location": "fsn1", "protected": True}]
    return NetworkSpec.model_validate(document)


@pytest.fixture(scope="module")
def program(spec: NetworkSpec) -> Program:
    """The program's run on an empty project."""

    def body() -> Mapping[str, pulumi.Output[Any]]:
        declared = NetworkProgram(spec, Estate("lab"), CloudProject(None, {"estate": "lab"})).declare()
        return {name: pulumi.Output.from_input(value) for name, value in declared.report.items()}

    return run_program(body, stack="lab-network")


def test_only_the_subnet_of_dedicated_servers_joins_the_vswitch(program: Program) -> None:
    """By Robot's number."""
    subnets = program.all_of("hcloud:index/networkSubnet:NetworkSubnet")  # in whatever order they were sent
    assert sorted((subnet.inputs["type"], "vswitchId" in subnet.inputs) for subnet in subnets) == [
        *[("cloud", False)] * 3,
        ("vswitch", True),
    ]


def test_everything_is_labelled_and_placed_by_location(program: Program) -> None:
    """Hetzner's ``datacenter`` is gone."""
    for resource in program.resources:
        assert "datacenter" not in resource.inputs
    labelled = [resource for resource in program.resources if "labels" in resource.inputs]
    assert len(labelled) == 7
    (address,) = program.all_of("hcloud:index/primaryIp:PrimaryIp")
    assert address.inputs["location"] == "fsn1"
    assert address.inputs["deleteProtection"] is True


def test_inventory_is_told_the_plan(spec: NetworkSpec, program: Program) -> None:
    """A vSwitch and the subnet that joins it are one network; the MTU falls from network to LAN."""
    told = {item.name: (item.kind.value, item.tag, item.mtu) for item in networks(spec)}
    assert told == {
        "control": ("cloud", None, 1450),
        "edge": ("cloud", None, 1450),
        "observability": ("cloud", None, 1450),
        "lab-private": ("vswitch", 4000, 1400),
        "lan-1": ("vxlan", 10001, 1350),
        "lan-2": ("vxlan", 10002, 1350),
    }
    assert [NetworkReport.model_validate(item).name for item in program.outputs["networks"]] == list(told)
    assert [pool["name"] for pool in program.outputs["address_pools"]] == ["fsn-v4-1", "fsn-v6-1"]
    assert program.outputs["sites"][0]["slug"] == "fsn"
