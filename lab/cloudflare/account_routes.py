"""Routes of what belongs to the account: monitors, pools, tunnels."""

from typing import Any

from fastapi import APIRouter, Depends

from lab.cloudflare.answers import Fields, Page, envelope, page_of
from lab.cloudflare.world import World


def account_routes(world: World) -> APIRouter:
    """All of them; another account's are refused."""

    def check(account_id: str) -> None:
        world.check_account(account_id)

    api = APIRouter(prefix="/accounts/{account_id}", dependencies=[Depends(check)])
    _monitors(api, world)
    _pools(api, world)
    _tunnels(api, world)
    _tunnel_configurations(api, world)
    return api


def _monitors(api: APIRouter, world: World) -> None:
    @api.get("/load_balancers/monitors")
    async def monitors() -> dict[str, Any]:
        return envelope(world.contents.balancing.monitors.all())

    @api.post("/load_balancers/monitors")
    async def create_monitor(given: Fields) -> dict[str, Any]:
        return envelope(world.contents.balancing.monitors.create(given))

    @api.get("/load_balancers/monitors/{monitor_id}")
    async def get_monitor(monitor_id: str) -> dict[str, Any]:
        return envelope(world.contents.balancing.monitors.get(monitor_id))

    @api.put("/load_balancers/monitors/{monitor_id}")
    async def replace_monitor(monitor_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.contents.balancing.monitors.replace(monitor_id, given))

    @api.delete("/load_balancers/monitors/{monitor_id}")
    async def delete_monitor(monitor_id: str) -> dict[str, Any]:
        return envelope({"id": world.contents.balancing.delete_monitor(monitor_id)["id"]})


def _pools(api: APIRouter, world: World) -> None:
    @api.get("/load_balancers/pools")
    async def pools() -> dict[str, Any]:
        return envelope(world.contents.balancing.pools.all())

    @api.post("/load_balancers/pools")
    async def create_pool(given: Fields) -> dict[str, Any]:
        return envelope(world.contents.balancing.pools.create(given))

    @api.get("/load_balancers/pools/{pool_id}")
    async def get_pool(pool_id: str) -> dict[str, Any]:
        return envelope(world.contents.balancing.pools.get(pool_id))

    @api.put("/load_balancers/pools/{pool_id}")
    async def replace_pool(pool_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.contents.balancing.pools.replace(pool_id, given))

    @api.patch("/load_balancers/pools/{pool_id}")
    async def change_pool(pool_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.contents.balancing.pools.change(pool_id, given))

    @api.delete("/load_balancers/pools/{pool_id}")
    async def delete_pool(pool_id: str) -> dict[str, Any]:
        return envelope({"id": world.delete_pool(pool_id)["id"]})


def _tunnels(api: APIRouter, world: World) -> None:
    @api.get("/cfd_tunnel")
    async def tunnels(
        name: str | None = None, *, is_deleted: bool | None = None, page: Page = 1, per_page: int = 20
    ) -> dict[str, Any]:
        found = [
            item
            for item in world.contents.tunnels.all()
            if name in {None, item["name"]} and is_deleted in {None, item["deleted_at"] is not None}
        ]
        return page_of(found, page, per_page)

    @api.post("/cfd_tunnel")
    async def create_tunnel(given: Fields) -> dict[str, Any]:
        return envelope(world.contents.tunnels.create(given))

    @api.get("/cfd_tunnel/{tunnel_id}")
    async def get_tunnel(tunnel_id: str) -> dict[str, Any]:
        return envelope(world.contents.tunnels.get(tunnel_id))

    @api.patch("/cfd_tunnel/{tunnel_id}")
    async def change_tunnel(tunnel_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.contents.tunnels.change(tunnel_id, given))

    @api.delete("/cfd_tunnel/{tunnel_id}")
    async def delete_tunnel(tunnel_id: str) -> dict[str, Any]:
        return envelope(world.contents.tunnels.delete(tunnel_id))


def _tunnel_configurations(api: APIRouter, world: World) -> None:
    @api.get("/cfd_tunnel/{tunnel_id}/token")
    async def token(tunnel_id: str) -> dict[str, Any]:
        return envelope(world.contents.tunnels.token(tunnel_id))

    @api.get("/cfd_tunnel/{tunnel_id}/configurations")
    async def configuration(tunnel_id: str) -> dict[str, Any]:
        return envelope(world.contents.tunnels.configuration(tunnel_id))

    @api.put("/cfd_tunnel/{tunnel_id}/configurations")
    async def configure(tunnel_id: str, given: Fields) -> dict[str, Any]:
        return envelope(world.contents.tunnels.configure(tunnel_id, given))
