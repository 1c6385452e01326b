"""A node's own firewall."""

import pulumi
from pulumi.dynamic import Resource

from components.pve_access.firewall_provider import HostFirewallProvider
from components.specs.platform.node_firewall import HostFirewall


class NodeFirewall(Resource, module="slipway", name="NodeFirewall"):
    """Security groups, which of them hold for the host, and the switches of datacenter and node, as one.

    The provider's own resources cannot go on after a run that was cut off: ``RulesLegacy`` refuses a node that has
    rules, ``GroupLegacy`` cannot find those that it did not get to make, and neither its options' delete nor a lock-out
    on the way is thought of. The engine needs ``PROXMOX_VE_PASSWORD_<NODE>``.
    """

    def __init__(self, label: str, spec: HostFirewall, *, opts: pulumi.ResourceOptions) -> None:
        super().__init__(HostFirewallProvider(), label, spec.model_dump(mode="json"), opts)
