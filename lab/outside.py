"""What the invariant checks need to know of the lab's world. Changes nothing."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from automation.invariants.world import SeenGuest, World
from lab.truth import Guest, Truth

_ADDRESS = re.compile(r"\bip6?=([0-9a-fA-F.:]+)")
_MAC = re.compile(r"\b([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})\b")
_NETWORK_KEYS = re.compile(r"(net|ipconfig)\d+")
_ADDRESS_RECORDS = frozenset({"A", "AAAA"})


def _nobody() -> Mapping[str, int]:
    return {}


@dataclass(frozen=True)
class LabOutside:
    """Implements ``automation.invariants.world.Outside``; blocks for a request a guest.

    Attributes:
        money: what the payment provider holds of each order, in cents; None leaves that out.
        engines: how many engines live on each stack.
    """

    truth: Truth
    money: Callable[[], Mapping[UUID, int]] | None = None
    engines: Callable[[], Mapping[str, int]] = _nobody

    def look(self) -> World:
        """Return what is there now."""
        records = {key: tuple(contents) for key, contents in self.truth.records().items() if key[1] in _ADDRESS_RECORDS}
        return World(
            guests=tuple(map(seen, self.truth.guests())),
            records=records,
            money=None if self.money is None else self.money(),
            engines=self.engines(),
        )


def seen(guest: Guest) -> SeenGuest:
    """Return a guest as the checks see it; its addresses are those of its configuration."""
    networks = [str(value) for key, value in guest.config.items() if _NETWORK_KEYS.fullmatch(key)]
    macs = frozenset(mac.lower() for text in networks for mac in _MAC.findall(text))
    return SeenGuest(guest.node, guest.vmid, frozenset(guest.tags), frozenset(_addresses(networks)), macs)


def _addresses(networks: list[str]) -> Iterator[str]:
    for found in (address for text in networks for address in _ADDRESS.findall(text)):
        with suppress(ValueError):  # "dhcp" and "manual" are no addresses
            yield str(ipaddress.ip_address(found))
