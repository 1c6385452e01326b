"""A guest's firewall: nothing comes in but what was declared, nothing goes out under another's address."""

from dataclasses import dataclass

import pulumi
from pulumi_proxmoxve import firewall

from components.specs import NetworkSpec, PortRule, link_local_address

ADDRESS_SET = "ipfilter-net0"
"""The set of source addresses that Proxmox VE's ``ipfilter`` allows a guest's first interface."""


@dataclass(frozen=True, slots=True)
class Guest:
    """The guest a firewall belongs to, addressed as the firewall's API does: by exactly one of the two ids."""

    resource: pulumi.CustomResource
    node_name: pulumi.Output[str]
    vm_id: pulumi.Output[int] | None = None
    container_id: pulumi.Output[int] | None = None

    @property
    def vmid(self) -> pulumi.Output[int]:
        """The guest's id, whichever kind it is of.

        Raises:
            ValueError: if neither or both ids were given.
        """
        ids = [number for number in (self.vm_id, self.container_id) if number is not None]
        if len(ids) != 1:
            raise ValueError("a guest has either a 'vm_id' or a 'container_id'")
        return ids[0]


def allowed_sources(network: NetworkSpec) -> tuple[str, ...]:
    """Return the addresses the guest may send from, as Proxmox VE writes them (a host has no prefix length)."""
    return (
        str(network.ipv4.address),
        str(network.ipv6.network),
        str(link_local_address(network.mac)),
    )


class GuestFirewall(pulumi.ComponentResource):
    """Options, address set and rules of one guest; this component is the only owner of all three.

    Deleting the guest deletes its firewall with it, so none of the three is deleted on its own: the guest keeps its
    address filter to its last moment, and a destroy needs no call for it.
    """

    def __init__(
        self,
        name: str,
        network: NetworkSpec,
        *,
        guest: Guest,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:network:GuestFirewall", name, None, opts)
        self._guest = guest
        self._options(name)
        self._address_set(name, network)
        self._rules(name, network.open_ports)
        self.register_outputs({})

    def _child(self) -> pulumi.ResourceOptions:
        """Options of every child; ids do not change when a guest is rebuilt, so ``replace_with`` has to say it."""
        return pulumi.ResourceOptions(
            parent=self,
            deleted_with=self._guest.resource,
            replace_with=[self._guest.resource],
            delete_before_replace=True,
        )

    def _options(self, name: str) -> None:
        firewall.OptionsLegacy(
            f"{name}-options",
            node_name=self._guest.node_name,
            vm_id=self._guest.vm_id,
            container_id=self._guest.container_id,
            enabled=True,
            input_policy="DROP",
            output_policy="ACCEPT",
            macfilter=True,
            ipfilter=True,
            dhcp=False,  # addresses are static, and a guest that answers DHCP could pose as the gateway
            ndp=True,  # IPv6 does not work without neighbour discovery
            radv=False,  # a guest that sends router advertisements could do the same
            log_level_in="nolog",  # the Internet's background noise would fill the node's disk
            log_level_out="info",  # what is dropped here is spoofed, and that is worth a line
            opts=self._child(),
        )

    def _address_set(self, name: str, network: NetworkSpec) -> None:
        firewall.IpsetLegacy(
            f"{name}-addresses",
            node_name=self._guest.node_name,
            vm_id=self._guest.vm_id,
            container_id=self._guest.container_id,
            name=ADDRESS_SET,
            cidrs=[firewall.IpsetLegacyCidrArgs(name=source) for source in allowed_sources(network)],
            # A changed address replaces the set, and the name is taken while the old one lives.
            opts=self._child(),
        )

    def _rules(self, name: str, open_ports: tuple[PortRule, ...]) -> None:
        ping = firewall.RulesLegacyRuleArgs(type="in", action="ACCEPT", macro="Ping", comment="ICMP and ICMPv6 echo")
        ports = [
            firewall.RulesLegacyRuleArgs(
                type="in",
                action="ACCEPT",
                proto=port.protocol.value,
                dport=port.ports,
                comment=port.comment,
            )
            for port in open_ports
        ]
        firewall.RulesLegacy(
            f"{name}-rules",
            node_name=self._guest.node_name,
            vm_id=self._guest.vm_id,
            container_id=self._guest.container_id,
            rules=[ping, *ports],
            opts=self._child(),
        )
