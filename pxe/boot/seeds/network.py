"""A machine's static addresses in the languages of what configures them."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from components.specs.machine import MachineNetwork

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def ipv4_with_prefix(network: MachineNetwork) -> str:
    """Return the IPv4 address with its prefix length."""
    return f"{network.ipv4.address}/{network.ipv4.prefix_length}"


def ipv6_with_prefix(network: MachineNetwork) -> str:
    """Return the IPv6 address with its prefix length."""
    return f"{network.ipv6.address}/{network.ipv6.network.prefixlen}"


def is_off_link(address_with_prefix: str, gateway: Address) -> bool:
    """Tell whether a gateway lies outside the network of an address, so that a route has to say it is on the link."""
    network = ipaddress.ip_interface(address_with_prefix).network
    return gateway not in network and not gateway.is_link_local


def netplan(boot_mac: str, network: MachineNetwork, *, name: str | None = None) -> dict[str, Any]:
    """Return the ``network`` part of a netplan file, which cloud-init reads, too (its version 2).

    Args:
        boot_mac: of the card; lower case, colons.
        network: its addresses.
        name: what the card is to be called; None leaves its name.
    """
    ipv4, ipv6 = ipv4_with_prefix(network), ipv6_with_prefix(network)
    card: dict[str, Any] = {
        "match": {"macaddress": boot_mac},
        **({} if name is None else {"set-name": name}),
        "dhcp4": False,
        "dhcp6": False,
        "accept-ra": False,
        "addresses": [ipv4, ipv6],
        "routes": [
            _default("0.0.0.0/0", ipv4, network.ipv4.gateway),
            _default("::/0", ipv6, network.ipv6.gateway),
        ],
    }
    if network.nameservers:
        card["nameservers"] = {"addresses": [str(address) for address in network.nameservers]}
    return {"version": 2, "ethernets": {name or "public": card}}


def _default(to: str, own: str, gateway: Address) -> Mapping[str, Any]:
    route: dict[str, Any] = {"to": to, "via": str(gateway)}
    if is_off_link(own, gateway):
        route["on-link"] = True
    return route


def interfaces(boot_mac: str, network: MachineNetwork) -> str:
    """Return Debian's ``/etc/network/interfaces`` for an image that boots with ``net.ifnames=0``.

    ifupdown's own patterns by MAC address (interfaces(5)) were tried with Debian 12's and match nothing. An image for
    machines with several cards brings netplan, which does find the card by its address.
    """
    lines = [f"# {boot_mac}", "auto lo", "iface lo inet loopback", "", "auto eth0"]
    for family, own, gateway in (
        ("inet", ipv4_with_prefix(network), network.ipv4.gateway),
        ("inet6", ipv6_with_prefix(network), network.ipv6.gateway),
    ):
        lines += ["", f"iface eth0 {family} static", f"    address {own}"]
        if is_off_link(own, gateway):
            version = 4 if family == "inet" else 6
            lines.append(f"    up ip -{version} route replace default via {gateway} dev $IFACE onlink")
        else:
            lines.append(f"    gateway {gateway}")
    return "\n".join(lines) + "\n"


def resolv_conf(network: MachineNetwork) -> str:
    """Return ``/etc/resolv.conf``; glibc takes no more than three (resolv.conf(5))."""
    return "".join(f"nameserver {address}\n" for address in network.nameservers[:3])
