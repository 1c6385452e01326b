"""Hosts that were declared dead: the proof that engines on them do nothing more, where no look can give one."""

from datetime import datetime

from sqlalchemy import Index, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.db.base import Base, Id


class FencedHost(Base):
    """A person's word that a worker's host is dead.

    Attributes:
        boot_id: the boot that is dead, as the kernel names it: a host that was started again is another. None if no
            engine of that host was on record; then nothing is settled by it, and the host may work on.
        declared_by: who said so, by the name of their account on the machine.
    """

    __tablename__ = "fenced_hosts"
    __table_args__ = (
        Index("uq_fenced_hosts_boot", "host", "boot_id", unique=True, postgresql_where=text("boot_id IS NOT NULL")),
    )

    id: Mapped[Id]
    host: Mapped[str]
    boot_id: Mapped[str | None]
    declared_at: Mapped[datetime] = mapped_column(server_default=func.now())
    declared_by: Mapped[str]
    reason: Mapped[str]


def is_fenced(session: Session, host: str, boot_id: str) -> bool:
    """Tell whether a host was declared dead in this boot of it."""
    found = select(FencedHost.id).where(FencedHost.host == host, FencedHost.boot_id == boot_id).limit(1)
    return session.scalars(found).one_or_none() is not None


def fences(session: Session) -> dict[str, list[FencedHost]]:
    """Return all declarations by host, the newest first."""
    found: dict[str, list[FencedHost]] = {}
    for fence in session.scalars(select(FencedHost).order_by(FencedHost.id.desc())):
        found.setdefault(fence.host, []).append(fence)
    return found
