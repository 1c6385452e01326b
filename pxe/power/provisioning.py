"""Where a machine finds the boot service when its own firmware does not: a VLAN of its card, with a fixed address."""

from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Self

from pxe.power.errors import BadBmcSettings
from pxe.power.settings import BmcSettings


@dataclass(frozen=True, slots=True)
class Provisioning:
    """A machine's place in the provisioning network. No DHCP is needed there.

    Attributes:
        url: of the boot service, which is on the link.
        mac: of the card.
        vlan: tagged, on that card.
        address: the machine's there.
    """

    url: str
    mac: str
    vlan: int
    address: IPv4Interface

    @classmethod
    def of(cls, settings: BmcSettings) -> Self:
        """Take it from what the environment or the inventory says.

        Raises:
            BadBmcSettings: names all that is missing.
        """
        told = {
            "the machine's boot MAC": settings.boot_mac,
            "the machine's VLAN": settings.boot_vlan,
            "the machine's boot address": settings.boot_address,
            "SLIPWAY_PXE_URL of the workers": settings.boot_url,
            "SLIPWAY_PXE_NETWORK of the workers": settings.boot_network,
        }
        missing = [name for name, value in told.items() if not value]
        network, address, vlan = settings.boot_network, settings.boot_address, settings.boot_vlan
        if missing or network is None or address is None or vlan is None:
            raise BadBmcSettings(
                f"a server at Robot reaches the boot service over its vSwitch; tell {', '.join(missing)}"
            )
        if address not in network:
            raise BadBmcSettings(f"the machine's boot address {address} is not in SLIPWAY_PXE_NETWORK, {network}")
        return cls(settings.boot_url.rstrip("/"), settings.boot_mac, vlan, IPv4Interface((address, network.prefixlen)))
