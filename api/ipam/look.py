"""Looks at what would be handed out next, and takes nothing: no lock, no promise."""

import ipaddress
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.ipam.models import VMID_SEQUENCE, Address, AddressPool, AddressState
from api.ipam.service import HeldAddresses, nth_prefix

_IPV4, _IPV6 = 4, 6
_LAST_VMID = text(f"SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM {VMID_SEQUENCE.name}")  # noqa: S608 - our own constant


def look_at_vmid(session: Session) -> int:
    """Return the VMID that the next order would get."""
    return int(session.execute(_LAST_VMID).scalar_one())


def look_at_addresses(session: Session, site_id: UUID) -> HeldAddresses | None:
    """Return the addresses that the next order at a site would get; None if one of the families is exhausted."""
    v4, v6 = _free_row(session, site_id, _IPV4), _free_row(session, site_id, _IPV6) or _next_prefix(session, site_id)
    if v4 is None or v6 is None:
        return None
    (network4, gateway4), (network6, gateway6) = v4, v6
    if not isinstance(network4, ipaddress.IPv4Network) or not isinstance(gateway4, ipaddress.IPv4Address):
        raise TypeError("an IPv4 pool holds an IPv6 network")
    if not isinstance(network6, ipaddress.IPv6Network) or not isinstance(gateway6, ipaddress.IPv6Address):
        raise TypeError("an IPv6 pool holds an IPv4 network")
    return HeldAddresses(network4.network_address, gateway4, network6, gateway6)


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Gateway = ipaddress.IPv4Address | ipaddress.IPv6Address


def _free_row(session: Session, site_id: UUID, family: int) -> tuple[_Network, _Gateway] | None:
    row = session.execute(
        select(Address.network, AddressPool.gateway)
        .join(AddressPool, AddressPool.id == Address.pool_id)
        .where(AddressPool.site_id == site_id, Address.family == family, Address.state == AddressState.FREE)
        .order_by(Address.network)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _next_prefix(session: Session, site_id: UUID) -> tuple[_Network, _Gateway] | None:
    pools = session.execute(
        select(AddressPool.cidr, AddressPool.next_index, AddressPool.gateway)
        .where(AddressPool.site_id == site_id, AddressPool.family == _IPV6)
        .order_by(AddressPool.id)
    )
    for cidr, index, gateway in pools:
        prefix = nth_prefix(cidr, index) if isinstance(cidr, ipaddress.IPv6Network) else None
        if prefix is not None:
            return prefix, gateway
    return None
