"""Routes of DNS records, with the filters of their list."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from lab.cloudflare.answers import Fields, Page, envelope, page_of
from lab.cloudflare.records import Record
from lab.cloudflare.world import World

FILTERS = ("name", "content", "type", "comment", "proxied")


def record_matches(record: Record, query: dict[str, str]) -> bool:
    """Whether a record passes the list filters: ``name=…`` or ``name.exact=…``, and dotted comparisons.

    With ``match=any`` one filter is enough, else all must hold.
    """
    checks = [_compare(record, key, value.lower()) for key, value in query.items() if key.split(".")[0] in FILTERS]
    if not checks:
        return True
    return any(checks) if query.get("match") == "any" else all(checks)


def _compare(record: Record, key: str, wanted: str) -> bool:
    field, _, how = key.partition(".")
    value = str(record.get(field) if record.get(field) is not None else "").lower()
    if how == "contains":
        return wanted in value
    if how == "startswith":
        return value.startswith(wanted)
    if how == "endswith":
        return value.endswith(wanted)
    return value == wanted


def record_routes(world: World) -> APIRouter:
    """DNS records of a zone."""
    api = APIRouter(prefix="/zones/{zone_id}/dns_records")

    @api.get("")
    async def list_records(
        zone_id: str, request: Request, page: Page = 1, per_page: Annotated[int, Query(ge=1, le=5_000_000)] = 100
    ) -> dict[str, Any]:
        query = dict(request.query_params)
        records = world.domain(zone_id).zone.records()
        return page_of([item for item in records if record_matches(item, query)], page, per_page)

    @api.post("")
    async def create(zone_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).zone.create(given))

    @api.get("/{record_id}")
    async def get_record(zone_id: str, record_id: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).zone.get(record_id))

    @api.put("/{record_id}")
    async def replace(zone_id: str, record_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).zone.replace(record_id, given))

    @api.patch("/{record_id}")
    async def change(zone_id: str, record_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).zone.change(record_id, given))

    @api.delete("/{record_id}")
    async def delete(zone_id: str, record_id: str) -> dict[str, Any]:
        world.domain(zone_id).zone.delete(record_id)
        return envelope({"id": record_id})

    return api
