"""Address pools and the addresses handed out of them. A row here, not a live scan, decides who owns an address."""

import ipaddress
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Sequence, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum

VMID_SEQUENCE = Sequence("vmid_seq", start=100_000, minvalue=100_000, maxvalue=999_999_999, metadata=Base.metadata)
"""Unique over all nodes and never used twice: Proxmox Backup Server groups backups by VMID."""


class AddressState(StrEnum):
    """The life of an address."""

    FREE = "free"
    HELD = "held"
    QUARANTINE = "quarantine"


class AddressPool(Base, Timestamped):
    """A routed network of one site. IPv4 pools hold addresses, IPv6 pools hold /64 prefixes."""

    __tablename__ = "address_pools"
    __table_args__ = (CheckConstraint("family IN (4, 6)", name="family_known"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    family: Mapped[int]
    cidr: Mapped[ipaddress.IPv4Network | ipaddress.IPv6Network] = mapped_column(CIDR, unique=True)
    gateway: Mapped[ipaddress.IPv4Address | ipaddress.IPv6Address] = mapped_column(INET)
    next_index: Mapped[int] = mapped_column(BigInteger, default=1)


class Address(Base, Timestamped):
    """An IPv4 address (as /32) or an IPv6 /64 of a pool; held by one workload at a time."""

    __tablename__ = "addresses"
    __table_args__ = (
        UniqueConstraint("network"),
        CheckConstraint("(state = 'held') = (workload_id IS NOT NULL)", name="held_has_workload"),
        Index("uq_addresses_workload_pool", "workload_id", "family", unique=True),
        Index("ix_addresses_free", "pool_id", "network", postgresql_where=text("state = 'free'")),
    )

    id: Mapped[Id]
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("address_pools.id"))
    family: Mapped[int]
    network: Mapped[ipaddress.IPv4Network | ipaddress.IPv6Network] = mapped_column(CIDR)
    state: Mapped[AddressState] = mapped_column(text_enum(AddressState), default=AddressState.FREE)
    workload_id: Mapped[UUID | None] = mapped_column(ForeignKey("workloads.id"))
    free_after: Mapped[datetime | None]
