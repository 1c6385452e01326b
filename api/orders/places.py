"""Where an order's workload will be, room on a node or a machine of its own: chosen for orders and quotes alike."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from api.errors import InvalidInput
from api.inventory.capacity import Capacity, PlacedOn
from api.inventory.placement import node_class_for
from api.machines.models import Machine
from api.machines.pool import MachinePool
from api.orders.offer import Offer
from api.orders.spec import MachineReservation, Reservation, build_machine_spec, build_spec
from components.specs import WorkloadSpec
from components.specs.machine import MachineRef


class Place(Protocol):
    """A place that was chosen, and taken if it is for an order."""

    @property
    def node_id(self) -> UUID | None:
        """The node, if it is on one."""

    @property
    def machine_id(self) -> UUID | None:
        """The machine, if it has one of its own."""

    @property
    def site_id(self) -> UUID:
        """Where it stands: addresses come from there."""

    @property
    def words(self) -> str:
        """What people call it."""

    def spec(self, held: dict[str, Any], vmid: int, keys: tuple[str, ...]) -> WorkloadSpec:
        """Build the spec of a workload there; ``held`` are the fields of ``Held``."""

    def hold(self, workload_id: UUID) -> None:
        """Write down what is taken, once the workload's row is there."""


@dataclass(frozen=True, slots=True)
class RoomOnNode:
    """Room on a node, for a guest; its row is locked if it is for an order."""

    capacity: Capacity
    placed: PlacedOn
    offer: Offer
    machine_id: UUID | None = None

    @property
    def node_id(self) -> UUID | None:
        """See ``Place``."""
        return self.placed.node.id

    @property
    def site_id(self) -> UUID:
        """See ``Place``."""
        return self.placed.node.site_id

    @property
    def words(self) -> str:
        """See ``Place``."""
        return f"node {self.placed.node.name}"

    def spec(self, held: dict[str, Any], vmid: int, keys: tuple[str, ...]) -> WorkloadSpec:
        """See ``Place``."""
        node = self.placed.node
        reservation = Reservation(
            **held,
            node=node.name,
            vmid=vmid,
            storage=node.storage,
            bridge=node.bridge,
            template_source=self.placed.template_source,
        )
        return build_spec(reservation, self.offer.resources, self.offer.definition, keys)

    def hold(self, workload_id: UUID) -> None:
        """See ``Place``."""
        self.capacity.hold(self.placed.node, workload_id, self.offer.resources)


@dataclass(frozen=True, slots=True)
class OwnMachine:
    """A machine of the pool; reserved, and its row locked, if it is for an order."""

    machine: Machine
    offer: Offer
    node_id: UUID | None = None

    @property
    def machine_id(self) -> UUID | None:
        """See ``Place``."""
        return self.machine.id

    @property
    def site_id(self) -> UUID:
        """See ``Place``."""
        return self.machine.site_id

    @property
    def words(self) -> str:
        """See ``Place``."""
        return f"machine {self.machine.name}"

    def spec(self, held: dict[str, Any], vmid: int, keys: tuple[str, ...]) -> WorkloadSpec:
        """See ``Place``; a machine has no VMID but the one that its workload is known by."""
        del vmid
        if self.offer.layout is None:
            raise InvalidInput("'layout': a machine needs one", field="layout")
        machine = MachineRef(
            machine_id=self.machine.id,
            name=self.machine.name,
            serial=self.machine.serial,
            boot_mac=self.machine.boot_mac,
        )
        reservation = MachineReservation(**held, machine=machine, layout=self.offer.layout)
        return build_machine_spec(reservation, self.offer.resources, self.offer.definition, keys)

    def hold(self, workload_id: UUID) -> None:
        """See ``Place``: it was reserved when it was chosen."""


def take_place(session: Session, offer: Offer, sites: Collection[UUID], workload_id: UUID) -> Place:
    """Choose a place at one of ``sites`` for a workload whose row follows, and lock it until the transaction ends.

    Raises:
        NoCapacity: if there is none; ``NoMachine`` if it is a machine that is missing.
    """
    if offer.is_machine:
        return OwnMachine(MachinePool(session).reserve(offer.size.slug, sites, workload_id), offer)
    capacity = Capacity(session)
    placed = capacity.place(node_class_for(offer.product.kind), offer.version.id, offer.resources, sites)
    return RoomOnNode(capacity, placed, offer)


def look_for_place(session: Session, offer: Offer, sites: Collection[UUID]) -> Place | None:
    """Return where an order would be placed now, without a lock and without a promise; None if nowhere."""
    if offer.is_machine:
        machine = MachinePool(session).look(offer.size.slug, sites)
        return None if machine is None else OwnMachine(machine, offer)
    capacity = Capacity(session)
    placed = capacity.look(node_class_for(offer.product.kind), offer.version.id, offer.resources, sites)
    return None if placed is None else RoomOnNode(capacity, placed, offer)
