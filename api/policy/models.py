"""Tables of policy."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class PolicyVersion(Base):
    """One version of the settings. Rows are only ever added (a trigger refuses the rest); the newest is in force.

    Attributes:
        version: counts from 1 without a gap; before the first row the shipped defaults are in force, as version 0.
        document: a whole ``PolicySettings``.
        set_by: the administrator.
    """

    __tablename__ = "policy_settings"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
