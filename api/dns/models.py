"""Zones we may write to, and the records that workloads hold there."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped


class DnsZone(Base, Timestamped):
    """A zone at the DNS provider."""

    __tablename__ = "dns_zones"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    provider_zone_id: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)


class DnsLabel(Base, Timestamped):
    """A name in a zone held by one workload; its A and AAAA records are made by the workload's stack."""

    __tablename__ = "dns_labels"
    __table_args__ = (UniqueConstraint("zone_id", "label"),)

    id: Mapped[Id]
    zone_id: Mapped[UUID] = mapped_column(ForeignKey("dns_zones.id"))
    label: Mapped[str]
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"), unique=True)
