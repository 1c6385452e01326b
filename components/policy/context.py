"""What a rule may know besides the plan: plain data, gathered by whoever asks."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from components.policy.settings import PolicySettings
from components.specs import WorkloadKind
from components.specs.machine import MachineRef

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Fact = TypeVar("Fact")


class MissingFact(LookupError):  # noqa: N818 - reads as a state, as the errors of the API do
    """A rule needs a fact that was not gathered."""


@dataclass(frozen=True, slots=True)
class Room:
    """An amount of capacity."""

    cores: int
    memory_mib: int
    disk_gib: int


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """The node on which the workload's room was reserved.

    Attributes:
        node_class: which kind of workload it is for: ``cloud``, ``game`` or ``bot``.
        total: what it may sell.
        used: what is sold, this workload's part included.
        site: where it stands.
    """

    name: str
    node_class: str
    total: Room | None = None
    used: Room | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyContext:
    """The facts around one plan. None means: nobody gathered it, except for ``newest_backup_at``.

    Attributes:
        now: the clock that ages are measured by.
        settings: the policy in force.
        kind: of the workload.
        order_id: whose tag its resources carry.
        node: where it is or will be.
        machine: that is held for it, if it is a machine of its own; such a workload has no node, room or VMID.
        held: what it holds of the node's room.
        pools: every network that we hand addresses out of.
        addresses: those reserved for this workload: an IPv4 address as /32, an IPv6 prefix as /64.
        vmid: reserved for it; its MAC address follows from it.
        fqdn: the name reserved for it.
        has_consent: its owner agreed to lose what it holds.
        holds_data: it was delivered before, so that its owner may have stored something.
        newest_backup_at: when its newest verified backup was made; None if there is none.
        account_age: of its owner's account.
        other_spend_cents: what the owner's other live workloads cost a month.
        price_before_cents: what it costs a month; 0 before it is delivered.
        price_after_cents: what it will cost a month; 0 once it is gone.
    """

    now: datetime
    settings: PolicySettings = field(default_factory=PolicySettings)
    kind: WorkloadKind | None = None
    order_id: UUID | None = None
    node: NodeFacts | None = None
    machine: MachineRef | None = None
    held: Room | None = None
    pools: Sequence[Network] | None = None
    addresses: Sequence[Network] | None = None
    vmid: int | None = None
    fqdn: str | None = None
    has_consent: bool | None = None
    holds_data: bool | None = None
    newest_backup_at: datetime | None = None
    account_age: timedelta | None = None
    other_spend_cents: int | None = None
    price_before_cents: int | None = None
    price_after_cents: int | None = None


def known(fact: Fact | None, name: str) -> Fact:
    """Return a fact that a rule cannot do without.

    Raises:
        MissingFact: if nobody gathered it; ``name`` says what it is.
    """
    if fact is None:
        raise MissingFact(name)
    return fact
