"""Long lists on pages: keyset pagination over rows of several tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request
from sqlalchemy import Row, Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.errors import InvalidInput
from api.pages import decode_cursor, encode_cursor

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a list; ``next_url`` leads to the one that follows, if there is one."""

    rows: Sequence[Row[Any]]
    next_url: str | None
    is_first: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list the visitor is."""

    path: str
    query: dict[str, str]
    after: UUID | None

    def next_url(self, last: UUID) -> str:
        """Return the address of the part after the row ``last``, with the same filters."""
        return f"{self.path}?{urlencode({**self.query, 'after': encode_cursor(last)})}"


def read_place(request: Request, after: Annotated[str, Query(max_length=40)] = "") -> Place:
    """Read the place out of the address.

    Raises:
        InvalidInput: if the cursor is not ours.
    """
    query = {name: value for name, value in request.query_params.items() if name != "after" and value}
    try:
        cursor = decode_cursor(after) if after else None
    except ValueError:
        raise InvalidInput("this address is incomplete: go back to the first page of the list") from None
    return Place(request.url.path, query, cursor)


PlaceDep = Annotated[Place, Depends(read_place)]


def cut(
    session: Session,
    query: "Select[*tuple[Any, ...]]",
    key: InstrumentedAttribute[UUID],
    place: Place,
    size: int = PAGE_SIZE,
) -> Slice:
    """Run a list's query for one part of it, the newest first.

    Args:
        session: the request's.
        query: selects the rows of the whole list; ``key`` need not be among its columns.
        key: the column of the UUIDv7 by which the rows are ordered.
        place: where the visitor is.
        size: how many rows are shown.
    """
    if place.after is not None:
        query = query.where(key < place.after)
    rows = session.execute(query.add_columns(key.label("cursor")).order_by(key.desc()).limit(size + 1)).all()
    shown = rows[:size]
    next_url = place.next_url(shown[-1].cursor) if len(rows) > size else None
    return Slice(shown, next_url, place.after is None)
