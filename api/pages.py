"""Keyset pagination: pages stay whole while rows are added, and the last page costs what the first does."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")
Item = TypeVar("Item", bound=BaseModel)


def encode_cursor(last: UUID) -> str:
    """Return the opaque cursor of the page that follows the item ``last``."""
    return base64.urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def decode_cursor(cursor: object) -> UUID:
    """Return the id in a cursor.

    Raises:
        ValueError: if we never made that cursor.
    """
    try:
        last = UUID(bytes=base64.b64decode(f"{cursor}==".encode("ascii"), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        last = None
    if last is None or encode_cursor(last) != cursor:
        raise ValueError("not a cursor of ours: send a page's 'next_cursor' as it was, or none for the first page")
    return last


Cursor = Annotated[UUID, BeforeValidator(decode_cursor), WithJsonSchema({"type": "string"})]


class Page(BaseModel, Generic[Item]):
    """One page of a list, newest first."""

    items: list[Item]
    next_cursor: str | None = Field(description="send it as `cursor` for the next page; null on the last one")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a caller wants: at most ``limit`` items, older than the item ``after``."""

    limit: int
    after: UUID | None


async def page_request(
    limit: Annotated[int, Query(ge=1, le=100, description="items a page")] = 20,
    cursor: Annotated[Cursor | None, Query(description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    """Read the page request out of the query."""
    return PageRequest(limit, cursor)


PageDep = Annotated[PageRequest, Depends(page_request)]


def fetch_page(
    session: Session,
    query: Select[Row],
    key: InstrumentedAttribute[UUID],
    request: PageRequest,
    render: Callable[[Row], Item],
) -> Page[Item]:
    """Run ``query`` for one page, newest first.

    Args:
        session: the request's session.
        query: selects the rows of the whole list; it is already limited to what the caller may see.
        key: the column of the rows' UUIDv7, which is the order of their creation.
        request: the page that is wanted.
        render: makes an item of a row.
    """
    if request.after is not None:
        query = query.where(key < request.after)
    rows = session.scalars(query.order_by(key.desc()).limit(request.limit + 1)).all()
    shown = rows[: request.limit]
    has_more = len(rows) > request.limit
    last: Any = shown[-1] if has_more else None
    return Page(
        items=[render(row) for row in shown],
        next_cursor=encode_cursor(getattr(last, key.key)) if has_more else None,
    )
