"""The control address of all nodes: plain HTTP on loopback, opened by the lab's control token.

``/_lab/faults`` (see :mod:`lab.faults.on_aiohttp`), ``PUT /_lab/task-delay``, ``PUT /_lab/power``,
``POST /_lab/installed``, ``GET /_lab/requests`` and ``DELETE /_lab/state``.
"""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from lab.faults.on_aiohttp import add_control_routes, require_token
from lab.faults.rules import FaultTable
from lab.proxmox.node import LabNode


class TaskDelay(BaseModel):
    """How long tasks take, in seconds, on one node or on all of them ("*")."""

    seconds: Annotated[float, Field(ge=0, le=3600)]
    where: str = "*"


class Switch(BaseModel):
    """A machine is switched on or off."""

    where: str
    is_on: bool


class Installed(BaseModel):
    """Proxmox VE was put onto a node's drives; ``root_hash`` is root's password as crypt(5) keeps it."""

    where: str
    root_hash: str


def control_app(nodes: list[LabNode], faults: FaultTable, token: str) -> web.Application:
    """The control application."""
    app = web.Application()
    add_control_routes(app, faults, token)

    async def set_task_delay(request: web.Request) -> web.Response:
        require_token(request, token)
        try:
            wanted = TaskDelay.model_validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPUnprocessableEntity(text=error.json(include_url=False)) from error
        for node in _named(nodes, wanted.where):
            node.task_delay = wanted.seconds
        return web.Response(status=204)

    async def install(request: web.Request) -> web.Response:
        """Give nodes an installation that nobody has set up yet."""
        require_token(request, token)
        for node in _named(nodes, request.query.get("where", "*")):
            node.as_installed()
        return web.Response(status=204)

    async def requests(request: web.Request) -> web.Response:
        """The requests each node has served, oldest first: ``{node: [[method, path], …]}``."""
        require_token(request, token)
        chosen = _named(nodes, request.query.get("where", "*"))
        return web.json_response({node.host_name: [item[:2] for item in node.requests] for node in chosen})

    async def reset(request: web.Request) -> web.Response:
        require_token(request, token)
        for node in nodes:
            node.reset()
            await node.switch(is_on=True)
        return web.Response(status=204)

    _add_power(app, nodes, token)
    app.router.add_delete("/_lab/state", reset)
    app.router.add_put("/_lab/task-delay", set_task_delay)
    app.router.add_put("/_lab/installation", install)
    app.router.add_get("/_lab/requests", requests)
    return app


def _add_power(app: web.Application, nodes: list[LabNode], token: str) -> None:
    async def switch(request: web.Request) -> web.Response:
        require_token(request, token)
        wanted = Switch.model_validate_json(await request.read())
        for node in _named(nodes, wanted.where):
            await node.switch(is_on=wanted.is_on)
        return web.Response(status=204)

    async def installed(request: web.Request) -> web.Response:
        require_token(request, token)
        done = Installed.model_validate_json(await request.read())
        for node in _named(nodes, done.where):
            node.install(done.root_hash)
        return web.Response(status=204)

    app.router.add_put("/_lab/power", switch)
    app.router.add_post("/_lab/installed", installed)


def _named(nodes: list[LabNode], where: str) -> list[LabNode]:
    chosen = [node for node in nodes if where in {"*", node.host_name}]
    if not chosen:
        known = ", ".join(node.host_name for node in nodes)
        raise web.HTTPUnprocessableEntity(text=f"where: no node {where!r}; known: {known}")
    return chosen
