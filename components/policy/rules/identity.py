"""A plan touches this workload's guest or machine and name, and no other's."""

from collections.abc import Iterator

from components.plans import PlanDocument, PlanStep
from components.policy.context import PolicyContext, known
from components.policy.rule import Rule
from components.policy.shapes import (
    DNS_RECORD,
    GUESTS,
    MACHINE_CLAIM,
    OF_A_MACHINE,
    ON_A_NODE,
    guest_id,
    interfaces,
    label,
)
from components.specs import mac_address
from components.specs.machine import MachineRef


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """Deletions too: another's guest is not ours to remove."""
    for step in document.steps:
        if step.type in ON_A_NODE:
            vmid = known(context.vmid, "the reserved VMID")
            if guest_id(step) != vmid:
                yield f"{label(step)} has the VMID {guest_id(step)}, and {vmid} is reserved for this workload"
            if step.type in GUESTS:
                yield from _macs([str(found.get("macAddress")) for found in interfaces(step)], vmid, label(step))
        elif step.type in OF_A_MACHINE:
            yield from _machine(step, known(context.machine, "the held machine"))
        elif step.type == DNS_RECORD:
            fqdn = known(context.fqdn, "the reserved name")
            if step.inputs.get("name") != fqdn:
                yield f"{label(step)} is for {step.inputs.get('name')!r}, and '{fqdn}' is reserved for this workload"


def _machine(step: PlanStep, held: MachineRef) -> Iterator[str]:
    """The claim says which hardware is meant: the machine is held against it before anything is written."""
    wanted = {"machine_id": str(held.machine_id)}
    if step.type == MACHINE_CLAIM:
        wanted |= {"serial": held.serial, "boot_mac": held.boot_mac}
    for name, value in wanted.items():
        if step.inputs.get(name) != value:
            yield f"{label(step)} has the {name} {step.inputs.get(name)!r}, and {value} is held for this workload"


def _macs(found: list[str], vmid: int, guest: str) -> Iterator[str]:
    """One interface: the address filter of a second one would have no set of addresses."""
    reserved = mac_address(vmid)
    if len(found) != 1:
        yield f"{guest} has {len(found)} network interfaces, and it must have one"
    for mac in found:
        if mac.upper() != reserved:
            yield f"{guest} has the MAC address {mac}, and {reserved} is reserved for it"


RULE = Rule("identity", "VMID or machine, MAC address and DNS name are the reserved ones", _check)
