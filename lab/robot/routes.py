"""The webservice's addresses and what each does."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from lab.robot.addresses import Addresses
from lab.robot.firewalls import Firewalls
from lab.robot.form import Form, parse_form
from lab.robot.keys import Keys
from lab.robot.orders import SHOPS, Orders
from lab.robot.servers import BOOTS, Servers
from lab.robot.vswitches import VSwitches
from lab.robot.world import World


async def _form(request: Request) -> Form:
    return parse_form(await request.body())


Fields = Annotated[dict[str, Any], Depends(_form)]


def server_routes(world: World) -> APIRouter:
    """Servers, their cancellation, and resets."""
    api, servers = APIRouter(), Servers(world)
    api.add_api_route("/server", servers.all)
    api.add_api_route("/server/{name}", servers.get)
    api.add_api_route("/server/{name}/cancellation", servers.cancellation)
    api.add_api_route("/reset", servers.resets)
    api.add_api_route("/reset/{name}", servers.reset_options)

    @api.post("/server/{name}")
    async def rename(name: str, form: Fields) -> Any:
        return servers.rename(name, form)

    @api.post("/server/{name}/cancellation")
    async def cancel(name: str, form: Fields) -> Any:
        return servers.cancel(name, form)

    @api.delete("/server/{name}/cancellation")
    async def keep(name: str) -> Response:
        servers.keep(name)
        return Response()

    @api.post("/reset/{name}")
    async def reset(name: str, form: Fields) -> Any:
        return servers.reset(name, form)

    return api


def boot_routes(world: World) -> APIRouter:
    """What servers boot next."""
    api, servers = APIRouter(), Servers(world)
    api.add_api_route("/boot/{name}", servers.boot)
    for system in BOOTS:
        _boot_routes(api, servers, system)
    return api


def _boot_routes(api: APIRouter, servers: Servers, system: str) -> None:
    @api.get(f"/boot/{{name}}/{system}")
    async def show(name: str) -> Any:
        return servers.boot_of(name, system)

    @api.get(f"/boot/{{name}}/{system}/last")
    async def last(name: str) -> Any:
        return servers.boot_of(name, system, last=True)

    @api.post(f"/boot/{{name}}/{system}")
    async def activate(name: str, form: Fields) -> Any:
        return servers.activate(name, system, form)

    @api.delete(f"/boot/{{name}}/{system}")
    async def deactivate(name: str) -> Any:
        return servers.deactivate(name, system)


def address_routes(world: World) -> APIRouter:
    """Addresses, subnets and reverse DNS."""
    api, addresses = APIRouter(), Addresses(world)

    @api.get("/ip")
    async def ips(server_ip: str | None = None) -> Any:
        return addresses.ips(server_ip)

    @api.get("/subnet")
    async def subnets(server_ip: str | None = None) -> Any:
        return addresses.subnets(server_ip)

    @api.get("/rdns")
    async def names(server_ip: str | None = None) -> Any:
        return addresses.names(server_ip)

    @api.put("/rdns/{address}")
    async def create(address: str, form: Fields) -> JSONResponse:
        return JSONResponse(addresses.set_name(address, form, new=True)[0], 201)

    @api.post("/rdns/{address}")
    async def write(address: str, form: Fields) -> JSONResponse:
        answer, is_new = addresses.set_name(address, form, new=False)
        return JSONResponse(answer, 201 if is_new else 200)

    @api.delete("/rdns/{address}")
    async def remove(address: str) -> Response:
        addresses.remove_name(address)
        return Response()

    api.add_api_route("/ip/{address}", addresses.ip)
    api.add_api_route("/subnet/{address}", addresses.subnet)
    api.add_api_route("/rdns/{address}", addresses.name)
    return api


def firewall_routes(world: World) -> APIRouter:
    """Templates come first: their address looks like a server's."""
    api, firewalls = APIRouter(), Firewalls(world)
    api.add_api_route("/firewall/template", firewalls.templates)
    api.add_api_route("/firewall/template/{number}", firewalls.template)
    api.add_api_route("/firewall/{name}", firewalls.get)

    @api.post("/firewall/template")
    async def add(form: Fields) -> Any:
        return firewalls.add_template(form)

    @api.post("/firewall/template/{number}")
    async def change(number: str, form: Fields) -> Any:
        return firewalls.change_template(number, form)

    @api.delete("/firewall/template/{number}")
    async def forget(number: str) -> Response:
        firewalls.remove_template(number)
        return Response()

    @api.post("/firewall/{name}")
    async def apply(name: str, form: Fields) -> Any:
        return firewalls.apply(name, form)

    @api.delete("/firewall/{name}")
    async def clear(name: str) -> Any:
        return firewalls.clear(name)

    return api


def vswitch_routes(world: World) -> APIRouter:
    """VSwitches and the servers on them."""
    api, vswitches = APIRouter(), VSwitches(world)

    @api.get("/vswitch")
    async def show() -> Any:
        return vswitches.all()

    @api.get("/vswitch/{number}")
    async def get(number: int) -> Any:
        return vswitches.get(number)

    @api.post("/vswitch")
    async def create(form: Fields) -> Any:
        return vswitches.create(form)

    @api.post("/vswitch/{number}")
    async def change(number: int, form: Fields) -> Response:
        vswitches.change(number, form)
        return Response()

    @api.delete("/vswitch/{number}")
    async def cancel(number: int, form: Fields) -> Response:
        vswitches.cancel(number, form)
        return Response()

    @api.post("/vswitch/{number}/server")
    async def attach(number: int, form: Fields) -> Response:
        vswitches.attach(number, form)
        return Response()

    @api.delete("/vswitch/{number}/server")
    async def detach(number: int, form: Fields) -> Response:
        vswitches.detach(number, form)
        return Response()

    return api


def key_routes(world: World) -> APIRouter:
    """SSH keys."""
    api, keys = APIRouter(), Keys(world)
    api.add_api_route("/key", keys.all)
    api.add_api_route("/key/{fingerprint}", keys.get)

    @api.post("/key", status_code=201)
    async def add(form: Fields) -> Any:
        return keys.add(form)

    @api.post("/key/{fingerprint}")
    async def rename(fingerprint: str, form: Fields) -> Any:
        return keys.rename(fingerprint, form)

    @api.delete("/key/{fingerprint}")
    async def remove(fingerprint: str) -> Response:
        keys.remove(fingerprint)
        return Response()

    return api


def order_routes(world: World) -> APIRouter:
    """Both shops, and the currency of all prices."""
    api, orders = APIRouter(), Orders(world)

    @api.get("/order/currency")
    async def currency() -> Any:
        return {"currency": "EUR"}

    for shop in SHOPS:
        _shop_routes(api, orders, shop)
    return api


def _shop_routes(api: APIRouter, orders: Orders, shop: str) -> None:
    @api.get(f"/order/{shop}/product")
    async def products() -> Any:
        return orders.products(shop)

    @api.get(f"/order/{shop}/product/{{name}}")
    async def product(name: str) -> Any:
        return orders.product(shop, name)

    @api.get(f"/order/{shop}/transaction")
    async def transactions() -> Any:
        return orders.transactions(shop)

    @api.get(f"/order/{shop}/transaction/{{number}}")
    async def transaction(number: str) -> Any:
        return orders.transaction(shop, number)

    @api.post(f"/order/{shop}/transaction", status_code=201)
    async def order(form: Fields) -> Any:
        return orders.order(shop, form)


ROUTES = (server_routes, boot_routes, address_routes, firewall_routes, vswitch_routes, key_routes, order_routes)
