"""What an order would be made into if it were placed now: chosen as a reservation chooses, and nothing taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.dns.models import DnsZone
from api.inventory.models import Site
from api.ipam.look import look_at_addresses, look_at_vmid
from api.ipam.service import Ipam
from api.orders.offer import Offer
from api.orders.places import look_for_place
from api.orders.spec import dns_label


@dataclass(frozen=True, slots=True)
class Tentative:
    """Where a workload would be placed (None: on a machine of its own), how that is said, and its spec."""

    node_id: UUID | None
    place: str
    spec: dict[str, Any]


def look_at(session: Session, quote_id: UUID, name: str, offer: Offer, keys: Sequence[str]) -> Tentative | None:
    """Return what an order would be made into; None if there is no room for it. ``quote_id`` stands for its ids."""
    place = look_for_place(session, offer, Ipam(session).sites_with_room())
    zone = session.scalars(select(DnsZone).where(DnsZone.is_default)).one_or_none()
    addresses = None if place is None else look_at_addresses(session, place.site_id)
    if place is None or zone is None or addresses is None:
        return None
    site = session.get_one(Site, place.site_id)
    held = {
        "workload_id": quote_id,
        "order_id": quote_id,
        "hostname": name,
        "addresses": addresses,
        "nameservers": site.nameservers,
        "zone_id": zone.provider_zone_id,
        "zone_name": zone.name,
        "dns_label": dns_label(name, quote_id),
    }
    spec = place.spec(held, look_at_vmid(session), tuple(keys)).model_dump(mode="json")
    return Tentative(place.node_id, f"{site.name} {place.words}", spec)
