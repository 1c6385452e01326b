"""The configuration of dnsmasq for the provisioning network: DHCP and TFTP for the machines that Inventory knows. Pure.

Nobody else is answered: a stranger's card gets no address, and with it no script (``dnsmasq(8)``, ``dhcp-ignore``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network

_LEASE = "1h"
# Client architectures of DHCP option 93 (RFC 4578, and IANA's registry): those whose UEFI runs ipxe.efi.
_UEFI = (7, 9)
_BIOS = 0
_IPXE_OPTION = 175
"""Sent by iPXE only, so that it is told from the firmware before it."""


@dataclass(frozen=True, slots=True)
class ProvisioningNet:
    """Where machines boot.

    Attributes:
        interface: of the host that runs dnsmasq.
        subnet: of which machines get their addresses.
        base_url: the boot service's, as machines reach it.
        ipv6_prefix: a /64 to announce: iPXE waits twelve seconds for a router where nobody says anything of IPv6.
        tftp_root: a folder with ``undionly.kpxe`` and ``ipxe.efi``; None serves no TFTP, where all cards have iPXE.
    """

    interface: str
    subnet: IPv4Network
    base_url: str
    ipv6_prefix: IPv6Network | None = None
    tftp_root: str | None = None


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A machine's card, by its MAC address, and the address that it always gets; None lets DHCP choose none."""

    name: str
    mac: str
    address: IPv4Address


def dnsmasq_configuration(net: ProvisioningNet, cards: Iterable[KnownCard]) -> str:
    """Return the whole configuration file; the same machines give the same text.

    Raises:
        ValueError: if a machine's address is outside the subnet.
    """
    known = sorted(cards, key=lambda card: card.name)
    for card in known:
        if card.address not in net.subnet:
            raise ValueError(f"machine '{card.name}': its boot address {card.address} is outside {net.subnet}")
    lines = [
        "# Made by `slipway machine dnsmasq` from the machines that Inventory knows: changes by hand are lost.",
        "port=0",
        f"interface={net.interface}",
        "bind-interfaces",
        "no-ping",
        "dhcp-authoritative",
        f"dhcp-range={net.subnet.network_address},static,{net.subnet.netmask},{_LEASE}",
        "dhcp-ignore=tag:!known",
        # Neither a way out nor a resolver: machines on this network reach the boot service, and nothing else.
        "dhcp-option=option:router",
        "dhcp-option=option:dns-server",
        f"dhcp-match=set:ipxe,{_IPXE_OPTION}",
        # iPXE need not wait for a second server's offer (its option no-pxedhcp; three seconds).
        f"dhcp-option=tag:ipxe,encap:{_IPXE_OPTION},176,1b",
        *_announcement(net),
        f"dhcp-boot=tag:ipxe,{net.base_url}/ipxe/${{mac:hexhyp}}",
        *_tftp(net),
        *(f"dhcp-host={card.mac},{card.address},{card.name},{_LEASE}" for card in known),
    ]
    return "\n".join(lines) + "\n"


def _announcement(net: ProvisioningNet) -> list[str]:
    if net.ipv6_prefix is None:
        return []
    prefix = net.ipv6_prefix
    return [
        "enable-ra",
        f"ra-param={net.interface},10,0",
        f"dhcp-range={prefix.network_address},ra-only,{prefix.prefixlen}",
    ]


def _tftp(net: ProvisioningNet) -> list[str]:
    if net.tftp_root is None:
        return []
    return [
        "enable-tftp",
        f"tftp-root={net.tftp_root}",
        "tftp-secure",
        f"dhcp-match=set:bios,option:client-arch,{_BIOS}",
        *(f"dhcp-match=set:uefi,option:client-arch,{number}" for number in _UEFI),
        "dhcp-boot=tag:!ipxe,tag:bios,undionly.kpxe",
        "dhcp-boot=tag:!ipxe,tag:uefi,ipxe.efi",
    ]
