"""The admins' VPN: its addresses, and who may come in."""

import base64
import binascii
import ipaddress
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import Slug

_KEY_BYTES = 32


def _key(text: str) -> str:
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        size = 0
    if size != _KEY_BYTES:
        raise ValueError("is no WireGuard public key: give what `wg pubkey` prints, 32 bytes in base64")
    return text


WireguardKey = Annotated[str, AfterValidator(_key)]
"""A public key as ``wg`` writes it."""


def repeated(items: Iterable[Hashable]) -> list[str]:
    """What is there more than once."""
    return [str(item) for item, times in Counter(items).items() if times > 1]


class VpnPeerSpec(Frozen):
    """Somebody's one machine. Its private key never leaves it."""

    name: Slug
    public_key: WireguardKey
    address: ipaddress.IPv4Address


class VpnSpec(Frozen):
    """The VPN that a bastion serves.

    Attributes:
        cidr: its addresses; the first is the bastion's own.
        port: UDP.
        routes: the networks that peers reach through it.
    """

    cidr: ipaddress.IPv4Network
    port: Annotated[int, Field(ge=1, le=65535)] = 51820
    routes: Annotated[tuple[ipaddress.IPv4Network, ...], Field(min_length=1)]
    peers: tuple[VpnPeerSpec, ...] = ()

    @property
    def server_address(self) -> ipaddress.IPv4Address:
        """The bastion's address inside."""
        return self.cidr[1]

    @model_validator(mode="after")
    def _peers_are_told_apart(self) -> Self:
        if self.cidr.prefixlen > 30:  # noqa: PLR2004 - the bastion, a peer, and the two ends of the range
            raise ValueError(f"'cidr' {self.cidr} has no room for a peer: give a /30 or more")
        for field in ("name", "public_key", "address"):
            for value in repeated(getattr(peer, field) for peer in self.peers):
                raise ValueError(f"'peers': two have the {field} '{value}': give each its own")
        taken = {self.cidr[0], self.server_address, self.cidr[-1]}
        for peer in self.peers:
            if peer.address not in self.cidr or peer.address in taken:
                raise ValueError(
                    f"'peers': '{peer.name}' has the address {peer.address}: give it one of {self.cidr}, but not the "
                    f"first, the last, or the bastion's own {self.server_address}"
                )
        return self
