"""Base of all models, and the column types they share."""

import enum
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import DateTime, Enum, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

Id = Annotated[UUID, mapped_column(primary_key=True, default=uuid7)]
"""A UUIDv7 primary key: sorts by time of creation."""


class Base(DeclarativeBase):
    """All tables; constraints have predictable names so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain class attribute
        str: Text(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
    }


class Timestamped:
    """Adds ``created_at``, by the database's clock."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def text_enum(kind: type[enum.StrEnum], name: str | None = None) -> Enum:
    """Return a column type that stores a ``StrEnum`` by value as text with a CHECK constraint.

    ``name`` tells two columns of one table that share a kind apart.
    """
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=40,
        name=name or kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
