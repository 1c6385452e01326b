"""What an order would be made into if it were placed now: chosen as a reservation chooses, and nothing taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.dns.models import DnsZone
from api.inventory.capacity import Capacity
from api.inventory.models import Site
from api.inventory.placement import node_class_for
from api.ipam.look import look_at_addresses, look_at_vmid
from api.ipam.service import Ipam
from api.orders.offer import Offer
from api.orders.spec import Reservation, build_spec, dns_label


@dataclass(frozen=True, slots=True)
class Tentative:
    """Where a workload would be placed, how that is said, and its spec."""

    node_id: UUID
    place: str
    spec: dict[str, Any]


def look_at(session: Session, quote_id: UUID, name: str, offer: Offer, keys: Sequence[str]) -> Tentative | None:
    """Return what an order would be made into; None if there is no room for it. ``quote_id`` stands for its ids."""
    placed = Capacity(session).look(
        node_class_for(offer.product.kind), offer.version.id, offer.resources, Ipam(session).sites_with_room()
    )
    zone = session.scalars(select(DnsZone).where(DnsZone.is_default)).one_or_none()
    addresses = None if placed is None else look_at_addresses(session, placed.node.site_id)
    if placed is None or zone is None or addresses is None:
        return None
    site = session.get_one(Site, placed.node.site_id)
    held = Reservation(
        workload_id=quote_id,
        order_id=quote_id,
        hostname=name,
        node=placed.node.name,
        vmid=look_at_vmid(session),
        storage=placed.node.storage,
        bridge=placed.node.bridge,
        template_source=placed.template_source,
        addresses=addresses,
        nameservers=site.nameservers,
        zone_id=zone.provider_zone_id,
        zone_name=zone.name,
        dns_label=dns_label(name, quote_id),
    )
    spec = build_spec(held, offer.resources, offer.definition, tuple(keys)).model_dump(mode="json")
    return Tentative(placed.node.id, f"{site.name} node {placed.node.name}", spec)
