"""A guest's firewall."""

import pulumi
import pytest

from components.compute import Bot, CloudVm
from components.network.firewall import Guest, allowed_sources
from components.specs import PortRule, Protocol
from tests.fakes.pulumi_monitor import run_program
from tests.fakes.workload_specs import bot, cloud_vm, network

OPTIONS = "proxmoxve:firewall/optionsLegacy:OptionsLegacy"
ADDRESSES = "proxmoxve:firewall/ipsetLegacy:IpsetLegacy"
RULES = "proxmoxve:firewall/rulesLegacy:RulesLegacy"


def test_everything_undeclared_is_dropped_and_nothing_can_be_spoofed() -> None:
    """Default deny in, MAC and address filter on, neither DHCP nor router advertisements from the guest."""
    declared = run_program(lambda: CloudVm("workload", cloud_vm()).outputs).inputs(OPTIONS)

    assert declared == {
        "nodeName": "pve-vm-1",
        "vmId": 201,
        "enabled": True,
        "inputPolicy": "DROP",
        "outputPolicy": "ACCEPT",
        "macfilter": True,
        "ipfilter": True,
        "dhcp": False,
        "ndp": True,
        "radv": False,
        "logLevelIn": "nolog",
        "logLevelOut": "info",
    }


def test_the_guest_may_send_from_its_own_addresses_only() -> None:
    """IPv4 address, IPv6 /64 and the link-local address of its MAC: neighbour discovery needs the last."""
    declared = run_program(lambda: CloudVm("workload", cloud_vm()).outputs).inputs(ADDRESSES)

    assert declared["name"] == "ipfilter-net0"
    assert [cidr["name"] for cidr in declared["cidrs"]] == [
        "203.0.113.25",
        "2001:db8:0:19::/64",
        "fe80::53:ff:fe00:c9",
    ]


def test_declared_ports_and_echo_requests_come_in_and_nothing_else() -> None:
    """One rule a declared port or range, in the order declared, after the one for ping."""
    ports = (
        PortRule(protocol=Protocol.TCP, first=22, last=22, comment="SSH"),
        PortRule(protocol=Protocol.UDP, first=60000, last=61000),
    )
    spec = cloud_vm(network=network(201, *ports))
    declared = run_program(lambda: CloudVm("workload", spec).outputs).inputs(RULES)

    assert declared["rules"] == [
        {"type": "in", "action": "ACCEPT", "macro": "Ping", "comment": "ICMP and ICMPv6 echo"},
        {"type": "in", "action": "ACCEPT", "proto": "tcp", "dport": "22", "comment": "SSH"},
        {"type": "in", "action": "ACCEPT", "proto": "udp", "dport": "60000:61000", "comment": ""},
    ]


def test_a_container_is_addressed_as_a_container() -> None:
    """The API has one path for machines and one for containers; both ids at once are refused."""
    program = run_program(lambda: Bot("workload", bot()).outputs)

    ids = [(program.inputs(token).get("vmId"), program.inputs(token)["containerId"]) for token in (OPTIONS, RULES)]
    assert ids == [(None, 401), (None, 401)]


def test_hosts_are_written_without_a_prefix_length() -> None:
    """Proxmox VE strips /32 and /128, so writing them would read as a change for ever."""
    assert allowed_sources(network(201)) == ("203.0.113.25", "2001:db8:0:19::/64", "fe80::53:ff:fe00:c9")


def test_a_guest_without_an_id_is_refused() -> None:
    """A guest is a machine or a container, never neither."""

    def program() -> dict[str, pulumi.Output[int]]:
        resource = pulumi.CustomResource("test:index:Thing", "thing")
        return {"vmid": Guest(resource, pulumi.Output.from_input("pve")).vmid}

    with pytest.raises(ValueError, match="either a 'vm_id' or a 'container_id'"):
        run_program(program)
