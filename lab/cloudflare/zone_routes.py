"""Routes of zones and of what is in them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from lab.cloudflare.answers import Fields, Page, envelope, page_of
from lab.cloudflare.world import World


def zone_routes(world: World) -> APIRouter:
    """Zones themselves, and their settings."""
    api = APIRouter(prefix="/zones")

    @api.get("")
    async def zones(
        name: str | None = None, page: Page = 1, per_page: Annotated[int, Query(ge=5, le=50)] = 20
    ) -> dict[str, Any]:
        found = [domain.zone for domain in world.contents.domains.values() if name in {None, domain.zone.name}]
        return page_of([zone.describe() for zone in found], page, per_page)

    @api.post("")
    async def create_zone(given: Fields) -> dict[str, Any]:
        return envelope(world.create_zone(given).zone.describe())

    @api.get("/{zone_id}")
    async def get_zone(zone_id: str) -> dict[str, Any]:
        zone = world.domain(zone_id).zone
        zone.activate()
        return envelope(zone.describe())

    @api.patch("/{zone_id}")
    async def change_zone(zone_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.change_zone(zone_id, given).zone.describe())

    @api.delete("/{zone_id}")
    async def delete_zone(zone_id: str) -> dict[str, Any]:
        world.delete_zone(zone_id)
        return envelope({"id": zone_id})

    @api.get("/{zone_id}/settings")
    async def settings(zone_id: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).settings.all())

    @api.get("/{zone_id}/settings/{name}")
    async def setting(zone_id: str, name: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).settings.get(name))

    @api.patch("/{zone_id}/settings/{name}")
    async def change_setting(zone_id: str, name: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).settings.change(name, given))

    return api


def ruleset_routes(world: World) -> APIRouter:
    """Rulesets of a zone."""
    api = APIRouter(prefix="/zones/{zone_id}/rulesets")

    @api.get("")
    async def rulesets(zone_id: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).rulesets.all())

    @api.post("")
    async def create_ruleset(zone_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).rulesets.create(given))

    @api.get("/phases/{phase}/entrypoint")
    async def entrypoint(zone_id: str, phase: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).rulesets.entrypoint(phase))

    @api.get("/{ruleset_id}")
    async def get_ruleset(zone_id: str, ruleset_id: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).rulesets.get(ruleset_id))

    @api.put("/{ruleset_id}")
    async def replace_ruleset(zone_id: str, ruleset_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).rulesets.replace(ruleset_id, given))

    @api.delete("/{ruleset_id}")
    async def delete_ruleset(zone_id: str, ruleset_id: str) -> Response:
        world.domain(zone_id).rulesets.delete(ruleset_id)
        return Response(status_code=204)

    @api.patch("/{ruleset_id}/rules/{rule_id}")
    async def change_rule(zone_id: str, ruleset_id: str, rule_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).rulesets.change_rule(ruleset_id, rule_id, given))

    return api


def balancer_routes(world: World) -> APIRouter:
    """Load balancers of a zone."""
    api = APIRouter(prefix="/zones/{zone_id}/load_balancers")

    @api.get("")
    async def balancers(zone_id: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).balancers.all())

    @api.post("")
    async def create_balancer(zone_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).balancers.create(given))

    @api.get("/{balancer_id}")
    async def get_balancer(zone_id: str, balancer_id: str) -> dict[str, Any]:
        return envelope(world.domain(zone_id).balancers.get(balancer_id))

    @api.put("/{balancer_id}")
    async def replace_balancer(zone_id: str, balancer_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).balancers.replace(balancer_id, given))

    @api.patch("/{balancer_id}")
    async def change_balancer(zone_id: str, balancer_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.domain(zone_id).balancers.change(balancer_id, given))

    @api.delete("/{balancer_id}")
    async def delete_balancer(zone_id: str, balancer_id: str) -> dict[str, Any]:
        return envelope({"id": world.domain(zone_id).balancers.delete(balancer_id)["id"]})

    return api
