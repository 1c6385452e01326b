"""Hands out addresses and VMIDs, inside the order's transaction."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.errors import NoCapacity
from api.ipam.models import VMID_SEQUENCE, Address, AddressPool, AddressState

_IPV4, _IPV6 = 4, 6
_DELEGATED = 64


@dataclass(frozen=True, slots=True)
class HeldAddresses:
    """What a workload holds: one IPv4 address, one IPv6 /64, and the gateways of both."""

    ipv4: ipaddress.IPv4Address
    ipv4_gateway: ipaddress.IPv4Address
    ipv6: ipaddress.IPv6Network
    ipv6_gateway: ipaddress.IPv6Address


def nth_prefix(pool: ipaddress.IPv6Network, index: int) -> ipaddress.IPv6Network | None:
    """Return the ``index``-th /64 of a pool (0 is the first), or None past its end."""
    if not 0 <= index < 1 << (_DELEGATED - pool.prefixlen):
        return None
    return ipaddress.IPv6Network((int(pool.network_address) + (index << _DELEGATED), _DELEGATED))


class Ipam:
    """Allocates and releases within one transaction; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def next_vmid(self) -> int:
        """Take a VMID that no guest on any node has or had."""
        return self._session.execute(select(VMID_SEQUENCE.next_value())).scalar_one()

    def sites_with_room(self) -> frozenset[UUID]:
        """Return the sites that have addresses of both families left; a look without a lock, so without a promise."""
        free = select(AddressPool.site_id).join(Address, Address.pool_id == AddressPool.id).distinct()
        with_row = [
            set(self._session.scalars(free.where(Address.state == AddressState.FREE, Address.family == family)))
            for family in (_IPV4, _IPV6)
        ]
        pools = self._session.execute(
            select(AddressPool.site_id, AddressPool.cidr, AddressPool.next_index).where(AddressPool.family == _IPV6)
        )
        with_prefix = {
            site_id
            for site_id, cidr, next_index in pools
            if isinstance(cidr, ipaddress.IPv6Network) and nth_prefix(cidr, next_index) is not None
        }
        return frozenset(with_row[0] & (with_row[1] | with_prefix))

    def hold(self, site_id: UUID, workload_id: UUID) -> HeldAddresses:
        """Hold an IPv4 address and an IPv6 /64 of a site for a workload.

        Raises:
            NoCapacity: if either pool of the site is exhausted; nothing is held then, as the caller rolls back.
        """
        v4, v4_pool = self._hold_ipv4(site_id, workload_id)
        v6, v6_pool = self._hold_ipv6(site_id, workload_id)
        gateway4, gateway6 = v4_pool.gateway, v6_pool.gateway
        if not isinstance(gateway4, ipaddress.IPv4Address) or not isinstance(gateway6, ipaddress.IPv6Address):
            raise TypeError("a pool's gateway has another IP version than the pool")
        return HeldAddresses(v4, gateway4, v6, gateway6)

    def release(self, workload_id: UUID, quarantine: timedelta) -> None:
        """Let go of a workload's addresses; they rest for ``quarantine``, if any, before anybody else gets them."""
        rest = {"state": AddressState.QUARANTINE, "free_after": func.now() + quarantine}
        none = {"state": AddressState.FREE, "free_after": None}
        self._session.execute(
            update(Address)
            .where(Address.workload_id == workload_id)
            .values(workload_id=None, **(rest if quarantine else none))
        )

    def end_quarantine(self) -> int:
        """Free the addresses whose rest is over; returns how many."""
        result = self._session.execute(
            update(Address)
            .where(Address.state == AddressState.QUARANTINE, Address.free_after <= func.now())
            .values(state=AddressState.FREE, free_after=None)
            .returning(Address.id)
        )
        return len(result.all())

    def _hold_ipv4(self, site_id: UUID, workload_id: UUID) -> tuple[ipaddress.IPv4Address, AddressPool]:
        found = self._free_row(site_id, _IPV4)
        if found is None:
            raise NoCapacity("there is no free public IPv4 address at this site; nothing was charged")
        address, pool = found
        address.state, address.workload_id = AddressState.HELD, workload_id
        network = address.network
        if not isinstance(network, ipaddress.IPv4Network):
            raise TypeError("an IPv4 pool holds an IPv6 network")
        return network.network_address, pool

    def _hold_ipv6(self, site_id: UUID, workload_id: UUID) -> tuple[ipaddress.IPv6Network, AddressPool]:
        found = self._free_row(site_id, _IPV6)
        if found is None:
            return self._new_ipv6(site_id, workload_id)
        address, pool = found
        address.state, address.workload_id = AddressState.HELD, workload_id
        network = address.network
        if not isinstance(network, ipaddress.IPv6Network):
            raise TypeError("an IPv6 pool holds an IPv4 network")
        return network, pool

    def _new_ipv6(self, site_id: UUID, workload_id: UUID) -> tuple[ipaddress.IPv6Network, AddressPool]:
        pools = self._session.scalars(
            select(AddressPool)
            .where(AddressPool.site_id == site_id, AddressPool.family == _IPV6)
            .order_by(AddressPool.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        for pool in pools:
            prefix = nth_prefix(pool.cidr, pool.next_index) if isinstance(pool.cidr, ipaddress.IPv6Network) else None
            if prefix is None:
                continue
            pool.next_index += 1
            self._session.add(
                Address(
                    id=uuid7(),
                    pool_id=pool.id,
                    family=_IPV6,
                    network=prefix,
                    state=AddressState.HELD,
                    workload_id=workload_id,
                )
            )
            self._session.flush()
            return prefix, pool
        raise NoCapacity("there is no free IPv6 network at this site; nothing was charged")

    def _free_row(self, site_id: UUID, family: int) -> tuple[Address, AddressPool] | None:
        """Lock one free row. ``SKIP LOCKED``: two buyers at once look at two different rows and neither waits."""
        row = self._session.execute(
            select(Address, AddressPool)
            .join(AddressPool, AddressPool.id == Address.pool_id)
            .where(AddressPool.site_id == site_id, Address.family == family, Address.state == AddressState.FREE)
            .order_by(Address.network)
            .limit(1)
            .with_for_update(of=Address, skip_locked=True)
        ).one_or_none()
        return None if row is None else (row[0], row[1])
