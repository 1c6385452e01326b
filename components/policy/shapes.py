"""Reads the inputs of the resource types that the rules know. Property names are the providers' own."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.plans import PlanDocument, PlanStep, StepOp
from components.policy.context import Network, Room

VM = "proxmoxve:index/vmLegacy:VmLegacy"
CONTAINER = "proxmoxve:index/containerLegacy:ContainerLegacy"
FIREWALL_OPTIONS = "proxmoxve:firewall/optionsLegacy:OptionsLegacy"
FIREWALL_RULES = "proxmoxve:firewall/rulesLegacy:RulesLegacy"
ADDRESS_SET = "proxmoxve:firewall/ipsetLegacy:IpsetLegacy"
DNS_RECORD = "cloudflare:index/dnsRecord:DnsRecord"

MACHINE_CLAIM = "pulumi-python:dynamic/slipway:MachineClaim"
WIPE = "pulumi-python:dynamic/slipway:Wipe"
BOOT_PROFILE = "pulumi-python:dynamic/slipway:BootProfile"
INSTALLATION = "pulumi-python:dynamic/slipway:Installation"

GUESTS = frozenset({VM, CONTAINER})
FIREWALL = frozenset({FIREWALL_OPTIONS, FIREWALL_RULES, ADDRESS_SET})
ON_A_NODE = GUESTS | FIREWALL
OF_A_MACHINE = frozenset({MACHINE_CLAIM, WIPE, BOOT_PROFILE, INSTALLATION})
KNOWN_TYPES = ON_A_NODE | OF_A_MACHINE | {DNS_RECORD}
"""Types that a workload may consist of. A type that is added here needs rules for what it can do wrong."""


class UnreadableInput(ValueError):  # noqa: N818 - reads as a state, as MissingFact does
    """An input is not of the form that a rule can judge."""


def kept(document: PlanDocument, *types: str) -> Iterator[PlanStep]:
    """Yield the steps of these types (of all types if none is named) whose resource is there afterwards."""
    return (step for step in document.steps if step.op is not StepOp.DELETE and (not types or step.type in types))


def label(step: PlanStep) -> str:
    """Return what a message calls a resource."""
    return f"{step.resource} '{step.name or step.urn.rpartition('::')[2]}'"


def section(step: PlanStep, name: str) -> Mapping[str, Any]:
    """Return a nested object of the inputs; empty where it is not set.

    Raises:
        UnreadableInput: if it is something else.
    """
    found = step.inputs.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise UnreadableInput(f"'{name}' of {label(step)} is not an object")
    return found


def items(owner: Mapping[str, Any], name: str, step: PlanStep) -> Sequence[Mapping[str, Any]]:
    """Return a list of objects; empty where it is not set.

    Raises:
        UnreadableInput: if it is something else.
    """
    found = owner.get(name)
    if found is None:
        return ()
    if not isinstance(found, Sequence) or isinstance(found, str) or not all(isinstance(e, Mapping) for e in found):
        raise UnreadableInput(f"'{name}' of {label(step)} is not a list of objects")
    return found


def whole(owner: Mapping[str, Any], name: str, step: PlanStep, default: int | None = None) -> int:
    """Return a number; the engine writes whole ones as floats here and there.

    Raises:
        UnreadableInput: if it is missing without a default, or no whole number.
    """
    found = owner.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or found != int(found):
        raise UnreadableInput(f"'{name}' of {label(step)} is not a whole number")
    return int(found)


def interfaces(step: PlanStep) -> Sequence[Mapping[str, Any]]:
    """Return a guest's network interfaces."""
    return items(step.inputs, "networkDevices" if step.type == VM else "networkInterfaces", step)


def guest_id(step: PlanStep) -> int:
    """Return the VMID of a guest, or of the guest that a part of a firewall belongs to.

    Raises:
        UnreadableInput: if there is none, or one of each kind.
    """
    given = [name for name in ("vmId", "containerId") if step.inputs.get(name) is not None]
    if len(given) != 1:
        raise UnreadableInput(f"{label(step)} has to name exactly one guest by 'vmId' or 'containerId'")
    return whole(step.inputs, given[0], step)


def addresses(step: PlanStep) -> Iterator[tuple[str, Network]]:
    """Yield every address or network that a resource would use, and where it stands.

    Raises:
        UnreadableInput: at the first value that is no address, such as ``dhcp``.
    """
    if step.type in GUESTS:
        for config in items(section(step, "initialization"), "ipConfigs", step):
            for family in ("ipv4", "ipv6"):
                part = config.get(family)
                if part is not None:
                    yield "initialization", _host(part.get("address"), step)
    elif step.type == ADDRESS_SET:
        for entry in items(step.inputs, "cidrs", step):
            yield "cidrs", _network(entry.get("name"), step)
    elif step.type == DNS_RECORD:
        yield "content", _host(step.inputs.get("content"), step)
    elif step.type == INSTALLATION:
        yield "address", _host(step.inputs.get("address"), step)
    elif step.type == BOOT_PROFILE:
        yield from _of_a_profile(step)


def _of_a_profile(step: PlanStep) -> Iterator[tuple[str, Network]]:
    network = section(step, "profile").get("network")
    for family in ("ipv4", "ipv6"):
        part = network.get(family) if isinstance(network, Mapping) else None
        yield "profile", _host(part.get("address") if isinstance(part, Mapping) else None, step)


def need(step: PlanStep) -> Room:
    """Return the room that a guest takes on its node."""
    cpu, memory = section(step, "cpu"), section(step, "memory")
    disks = items(step.inputs, "disks", step) if step.type == VM else [section(step, "disk")]
    return Room(
        cores=whole(cpu, "cores", step) * whole(cpu, "sockets", step, 1),
        memory_mib=whole(memory, "dedicated", step),
        disk_gib=sum(whole(disk, "size", step) for disk in disks),
    )


def _host(value: object, step: PlanStep) -> Network:
    """Return one host's address, with or without the prefix length of its link."""
    try:
        return ipaddress.ip_network(ipaddress.ip_interface(str(value)).ip)
    except ValueError:
        raise UnreadableInput(f"'{value}' of {label(step)} is not an address") from None


def _network(value: object, step: PlanStep) -> Network:
    try:
        return ipaddress.ip_network(str(value))
    except ValueError:
        raise UnreadableInput(f"'{value}' of {label(step)} is not a network") from None
