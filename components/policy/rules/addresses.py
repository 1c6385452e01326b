"""Every address is ours to give, and was given to this workload."""

from collections.abc import Iterator, Sequence

from components.plans import PlanDocument
from components.policy.context import Network, PolicyContext, known
from components.policy.rule import Rule
from components.policy.shapes import ADDRESS_SET, DNS_RECORD, addresses, kept, label
from components.specs import link_local_address, mac_address

_RECORD_TYPES = ("A", "AAAA")


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    for step in kept(document):
        if step.type == DNS_RECORD and step.inputs.get("type") not in _RECORD_TYPES:
            yield f"{label(step)} is of type {step.inputs.get('type')!r}, which leads to no address of ours"
            continue
        for place, network in addresses(step):
            if step.type == ADDRESS_SET and _is_own_link_local(network, context):
                continue
            if not _within(network, known(context.pools, "our address pools")):
                yield f"{network} ('{place}' of {label(step)}) is in none of our address pools"
            elif not _within(network, known(context.addresses, "the reserved addresses")):
                yield f"{network} ('{place}' of {label(step)}) is not reserved for this workload"


def _is_own_link_local(network: Network, context: PolicyContext) -> bool:
    """Neighbour discovery is sent from the address that the guest's own MAC address gives it."""
    if not network.is_link_local:
        return False
    own = link_local_address(mac_address(known(context.vmid, "the reserved VMID")))
    return network.num_addresses == 1 and network.network_address == own


def _within(network: Network, allowed: Sequence[Network]) -> bool:
    return any(
        network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]  # of one version
        for other in allowed
    )


RULE = Rule("addresses", "every address in a plan is from our pools and reserved for this workload", _check)
