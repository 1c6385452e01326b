"""Templates and their versions."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum
from components.specs import WorkloadKind


class Template(Base, Timestamped):
    """Something a workload can be made from."""

    __tablename__ = "templates"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[WorkloadKind] = mapped_column(text_enum(WorkloadKind))


class TemplateVersion(Base, Timestamped):
    """One version; ``definition`` is a ``TemplateDefinition`` document and is never edited once published."""

    __tablename__ = "template_versions"
    __table_args__ = (
        UniqueConstraint("template_id", "version"),
        Index("uq_template_versions_current", "template_id", unique=True, postgresql_where=text("is_current")),
    )

    id: Mapped[Id]
    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"))
    version: Mapped[str]
    definition: Mapped[dict[str, Any]]
    is_current: Mapped[bool] = mapped_column(default=False)
