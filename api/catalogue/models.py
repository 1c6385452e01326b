"""Products, their sizes, and which templates each offers."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum
from components.specs import WorkloadKind


class Product(Base, Timestamped):
    """Something we sell."""

    __tablename__ = "products"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str]
    kind: Mapped[WorkloadKind] = mapped_column(text_enum(WorkloadKind))
    is_offered: Mapped[bool] = mapped_column(default=True)


class Size(Base, Timestamped):
    """A size of a product with its price for a month, in cents."""

    __tablename__ = "sizes"
    __table_args__ = (
        UniqueConstraint("product_id", "slug"),
        CheckConstraint("price_cents > 0", name="price_positive"),
    )

    id: Mapped[Id]
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    slug: Mapped[str]
    name: Mapped[str]
    cores: Mapped[int]
    memory_mib: Mapped[int]
    disk_gib: Mapped[int]
    price_cents: Mapped[int]
    currency: Mapped[str]
    is_offered: Mapped[bool] = mapped_column(default=True)


class ProductTemplate(Base):
    """A template that a product can be ordered with."""

    __tablename__ = "product_templates"

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"), primary_key=True)
