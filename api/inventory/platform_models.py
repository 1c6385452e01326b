"""What the platform stacks have told us: their reports, and the parts of them that nothing else had a table for."""

import ipaddress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Text, func
from sqlalchemy.dialects.postgresql import CIDR
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum
from components.specs.platform import PlatformKind
from components.specs.platform.report import NetworkKind


class PlatformStack(Base, Timestamped):
    """A stack's last report, whole. Which things of the estate are whose is read off these.

    ``digest`` is the SHA-256 of the report in its canonical form.
    """

    __tablename__ = "platform_stacks"

    id: Mapped[Id]
    stack: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[PlatformKind] = mapped_column(text_enum(PlatformKind))
    report: Mapped[dict[str, Any]]
    digest: Mapped[str]
    reported_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def spec(self) -> dict[str, Any]:
        """The stack's configuration as it was when it reported."""
        spec: dict[str, Any] = self.report.get("spec", {})
        return spec


class NodeCredential(Base, Timestamped):
    """What the control plane reaches a node with, sealed; by the node's name, for it may come before the node."""

    __tablename__ = "node_credentials"

    id: Mapped[Id]
    node: Mapped[str] = mapped_column(unique=True)
    api_token_encrypted: Mapped[bytes]
    deposited_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Network(Base, Timestamped):
    """A network of the address plan; ``tag`` is a vSwitch's VLAN or a VXLAN's identifier."""

    __tablename__ = "networks"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[NetworkKind] = mapped_column(text_enum(NetworkKind))
    cidr: Mapped[ipaddress.IPv4Network | ipaddress.IPv6Network | None] = mapped_column(CIDR)
    tag: Mapped[int | None]
    mtu: Mapped[int]


class NodeStorage(Base):
    """A storage of a node; ``kind`` is Proxmox VE's type."""

    __tablename__ = "node_storages"

    node_id: Mapped[UUID] = mapped_column(ForeignKey("nodes.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    content: Mapped[list[str]] = mapped_column(ARRAY(Text))


class PoolServer(Base, Timestamped):
    """A dedicated server of the bare-metal pool; ``number`` is Robot's."""

    __tablename__ = "pool_servers"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    product: Mapped[str]
    datacenter: Mapped[str]
    address: Mapped[str]
    network: Mapped[str]


class PlatformHost(Base, Timestamped):
    """A machine that Prometheus scrapes; ``exporters`` are ports by job."""

    __tablename__ = "platform_hosts"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    address: Mapped[str]
    exporters: Mapped[dict[str, Any]]
