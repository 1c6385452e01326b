"""Reserves all that an order needs, in one transaction: place, VMID, addresses, names; then nothing can fail to fit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, changed, record
from api.auth.models import SshKey
from api.billing.models import Checkout
from api.dns.models import DnsLabel, DnsZone
from api.errors import InvalidInput, NoCapacity
from api.inventory.models import Site
from api.ipam.service import Ipam
from api.orders.models import Order, OrderStatus
from api.orders.offer import Offer, find_offer
from api.orders.places import Place, take_place
from api.orders.schemas import OrderRequest
from api.orders.spec import dns_label
from api.orders.spending import check_spend
from api.vault import Vault, generate_passphrase
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import record_status
from components.specs import WorkloadKind

_LOGGED_INTO = {WorkloadKind.CLOUD_VM: "a cloud VM", WorkloadKind.BARE_METAL: "a machine"}


class OrderReserver:
    """Reserves for one order; the caller's transaction commits all of it or none."""

    def __init__(self, session: Session, vault: Vault, checkout_time: timedelta) -> None:
        self._session = session
        self._vault = vault
        self._checkout_time = checkout_time

    def reserve(self, owner_id: UUID, request: OrderRequest) -> UUID:
        """Write order, workload and everything held for it; returns the order's id.

        Rows are locked in the order account, node or machine, addresses: two orders never wait for each other.

        Raises:
            InvalidInput: naming the field that is wrong.
            SpendLimitReached: if the account would spend more than it may.
            NoCapacity: if nothing is left.
        """
        session = self._session
        offer = find_offer(session, request)
        check_spend(session, owner_id, offer.size.price_cents)
        keys = chosen_ssh_keys(session, owner_id, request, offer.product.kind)
        _refuse_taken_name(session, owner_id, request.name)
        zone = self._zone()
        sites = Ipam(session).sites_with_room()
        if not sites:
            raise NoCapacity("there is no free public address at the moment; nothing was charged")
        workload_id = uuid7()
        place = take_place(session, offer, sites, workload_id)
        order = self._new_order(owner_id, offer)
        workload = self._new_workload(workload_id, order, offer, request.name, place)
        label = dns_label(workload.name, workload_id)
        held = self._hold(workload, place, zone, label)
        workload.desired = place.spec(held, workload.vmid, keys).model_dump(mode="json")
        place.hold(workload_id)
        session.add(DnsLabel(id=uuid7(), zone_id=zone.id, label=label, workload_id=workload_id))
        session.flush()
        return order.id

    def _zone(self) -> DnsZone:
        # The weakest lock there is, which only a zone's removal waits for: its names must not go from under it.
        query = select(DnsZone).where(DnsZone.is_default).with_for_update(read=True, key_share=True)
        zone = self._session.scalars(query).one_or_none()
        if zone is None:
            raise NoCapacity("no DNS zone is set up for workloads yet; nothing was charged")
        return zone

    def _new_order(self, owner_id: UUID, offer: Offer) -> Order:
        order = Order(
            id=uuid7(),
            owner_id=owner_id,
            status=OrderStatus.PENDING_PAYMENT,
            size_id=offer.size.id,
            template_version_id=offer.version.id,
            description=offer.description,
            price_cents=offer.size.price_cents,
            currency=offer.size.currency,
        )
        self._session.add(order)
        self._session.flush()
        record(
            self._session,
            AuditEntry(
                action="order.place",
                actor=Actor.person(owner_id),
                subject_type="order",
                subject_id=order.id,
                reason=order.description,
                diff=changed(status=(None, order.status)),
                cost_after_cents=order.price_cents,
            ),
        )
        expires_at = self._session.execute(select(func.now() + self._checkout_time)).scalar_one()
        self._session.add(Checkout(order_id=order.id, expires_at=expires_at))
        return order

    def _new_workload(self, workload_id: UUID, order: Order, offer: Offer, name: str, place: Place) -> Workload:
        workload = Workload(
            id=workload_id,
            owner_id=order.owner_id,
            order_id=order.id,
            kind=offer.product.kind,
            name=name,
            status=WorkloadStatus.PENDING_PAYMENT,
            node_id=place.node_id,
            machine_id=place.machine_id,
            vmid=Ipam(self._session).next_vmid(),
            desired={},
            stack=f"w-{workload_id}",
            passphrase_encrypted=self._vault.seal(generate_passphrase()),
        )
        self._session.add(workload)
        self._session.flush()
        record_status(self._session, workload, WorkloadStatus.PENDING_PAYMENT, "ordered", order.owner_id)
        return workload

    def _hold(self, workload: Workload, place: Place, zone: DnsZone, label: str) -> dict[str, Any]:
        return {
            "workload_id": workload.id,
            "order_id": workload.order_id,
            "hostname": workload.name,
            "addresses": Ipam(self._session).hold(place.site_id, workload.id),
            "nameservers": self._session.get_one(Site, place.site_id).nameservers,
            "zone_id": zone.provider_zone_id,
            "zone_name": zone.name,
            "dns_label": label,
        }


def _refuse_taken_name(session: Session, owner_id: UUID, name: str) -> None:
    taken = session.scalars(
        select(Workload.id).where(
            Workload.owner_id == owner_id, Workload.name == name, Workload.status != WorkloadStatus.DELETED
        )
    ).first()
    if taken is not None:
        raise InvalidInput(f"'name': you already have a workload '{name}'", field="name")


def chosen_ssh_keys(session: Session, owner_id: UUID, request: OrderRequest, kind: WorkloadKind) -> tuple[str, ...]:
    """Return the public keys that a request names.

    Raises:
        InvalidInput: if a cloud VM or a machine has none, or the account has no key of that name.
    """
    return keys_by_name(session, owner_id, request.ssh_keys, kind)


def keys_by_name(session: Session, owner_id: UUID, names: Sequence[str], kind: WorkloadKind) -> tuple[str, ...]:
    """Return an account's public keys by their names, for a workload of a kind; raises as ``chosen_ssh_keys``."""
    if kind in _LOGGED_INTO and not names:
        raise InvalidInput(
            f"'ssh_keys': {_LOGGED_INTO[kind]} needs at least one, or nobody could log in", field="ssh_keys"
        )
    rows = session.execute(
        select(SshKey.name, SshKey.public_key).where(SshKey.user_id == owner_id, SshKey.name.in_(names))
    )
    known = {row.name: row.public_key for row in rows}
    for name in names:
        if name not in known:
            raise InvalidInput(f"'ssh_keys': your account has no SSH key named '{name}'", field="ssh_keys")
    return tuple(known[name] for name in dict.fromkeys(names))
