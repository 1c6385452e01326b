"""Durations of operations, added up as they happen: a scrape costs the same however many there were."""

from sqlalchemy import BigInteger, Float
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class OperationSeconds(Base):
    """So many phases of so long, by kind of operation and how they ended.

    Attributes:
        bucket: the upper end in seconds of the durations counted here; infinity has those above all others.
        seconds: their sum.
    """

    __tablename__ = "operation_seconds"

    kind: Mapped[str] = mapped_column(primary_key=True)
    phase: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    bucket: Mapped[float] = mapped_column(Float, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Float)
