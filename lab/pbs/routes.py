"""The paths of the API. Answers are ``{"data": …}``; parameters come as JSON or as a form."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request

from lab.pbs.errors import ApiError
from lab.pbs.sections import KINDS
from lab.pbs.world import World

Answer = dict[str, Any]


async def parameters(request: Request) -> Answer:
    """The parameters of a write: its body, or the query of a ``DELETE``."""
    if request.method in {"GET", "DELETE"}:
        return dict(request.query_params)
    if "json" in request.headers.get("content-type", ""):
        given: Answer = await request.json()
        return given
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


Given = Annotated[Answer, Depends(parameters)]


def api_routes(world: World, who: Any) -> APIRouter:
    """All routes but the login. ``who`` is the dependency that says who asks."""
    routes = APIRouter()

    def root(caller: str = who) -> str:
        if not world.access.may(caller, "/", "Sys.Modify"):
            raise ApiError("permission check failed", 403)
        return caller

    routes.include_router(_sections(world, root))
    routes.include_router(_namespaces(world, who))
    routes.include_router(_users(world, root))

    @routes.get("/version")
    async def version(_caller: str = who) -> Answer:
        return {"data": {"version": "4.0", "release": "11", "repoid": "lab"}}

    @routes.get("/nodes/{node}/tasks/{upid}/status")
    async def task(node: str, upid: str, _caller: str = who) -> Answer:
        return {"data": {"upid": upid, "node": node, "status": "stopped", "exitstatus": "OK"}}

    return routes


def _sections(world: World, root: Callable[..., str]) -> APIRouter:
    routes = APIRouter(prefix="/config", dependencies=[Depends(root)])

    @routes.get("/{kind}")
    async def listed(kind: str) -> Answer:
        return {"data": world.sections.all(_kind(kind))}

    @routes.post("/{kind}")
    async def create(kind: str, given: Given, caller: Annotated[str, Depends(root)]) -> Answer:
        item = world.sections.create(_kind(kind), given)
        is_task = kind == "datastore"
        return {"data": world.task("create-datastore", item["name"], caller) if is_task else None}

    @routes.get("/{kind}/{name}")
    async def get(kind: str, name: str) -> Answer:
        return {"data": world.sections.get(_kind(kind), name)}

    @routes.put("/{kind}/{name}")
    async def update(kind: str, name: str, given: Given) -> Answer:
        world.sections.update(_kind(kind), name, given)
        return {"data": None}

    @routes.delete("/{kind}/{name}")
    async def delete(kind: str, name: str, caller: Annotated[str, Depends(root)]) -> Answer:
        world.sections.delete(_kind(kind), name)
        if kind != "datastore":
            return {"data": None}
        world.namespaces.forget(name)
        return {"data": world.task("delete-datastore", name, caller)}

    return routes


def _kind(name: str) -> str:
    if name not in KINDS:
        raise ApiError(f"Path '/config/{name}' not found.", 404)
    return name


def _namespaces(world: World, who: Any) -> APIRouter:
    routes = APIRouter(prefix="/admin/datastore/{store}")

    def check(store: str, ns: str, caller: str, privilege: str) -> None:
        world.sections.get("datastore", store)
        path = f"/datastore/{store}/{ns}".rstrip("/")
        if not world.access.may(caller, path, privilege):
            raise ApiError("permission check failed", 403)

    @routes.get("/namespace")
    async def listed(store: str, caller: str = who) -> Answer:
        world.sections.get("datastore", store)
        found = [
            item
            for item in world.namespaces.of(store)
            if any(
                world.access.may(caller, f"/datastore/{store}/{item['ns']}".rstrip("/"), privilege)
                for privilege in ("Datastore.Audit", "Datastore.Backup")
            )
        ]
        return {"data": found}

    @routes.post("/namespace")
    async def create(store: str, given: Given, caller: str = who) -> Answer:
        parent = str(given.get("parent", ""))
        check(store, parent, caller, "Datastore.Modify")
        return {"data": world.namespaces.create(store, str(given.get("name", "")), parent)}

    @routes.delete("/namespace")
    async def delete(store: str, ns: str, given: Given, caller: str = who) -> Answer:
        check(store, ns.rpartition("/")[0], caller, "Datastore.Modify")
        world.namespaces.delete(store, ns, with_groups=str(given.get("delete-groups", "0")) in {"1", "true"})
        return {"data": None}

    @routes.get("/groups")
    async def groups(store: str, ns: str = "", caller: str = who) -> Answer:
        check(store, ns, caller, "Datastore.Backup")
        return {"data": world.namespaces.groups_in(store, ns)}

    return routes


def _users(world: World, root: Callable[..., str]) -> APIRouter:
    routes = APIRouter(prefix="/access", dependencies=[Depends(root)])

    @routes.get("/users")
    async def users() -> Answer:
        return {"data": list(world.access.users.values())}

    @routes.post("/users")
    async def add_user(given: Given) -> Answer:
        world.access.add_user(given)
        return {"data": None}

    @routes.get("/users/{userid}")
    async def user(userid: str) -> Answer:
        return {"data": world.access.user(userid)}

    @routes.delete("/users/{userid}")
    async def remove_user(userid: str) -> Answer:
        world.access.remove_user(userid)
        return {"data": None}

    @routes.get("/users/{userid}/token")
    async def tokens(userid: str) -> Answer:
        return {"data": world.access.tokens_of(userid)}

    @routes.post("/users/{userid}/token/{name}")
    async def add_token(userid: str, name: str, given: Given) -> Answer:
        return {"data": world.access.add_token(userid, name, given)}

    @routes.delete("/users/{userid}/token/{name}")
    async def remove_token(userid: str, name: str) -> Answer:
        world.access.remove_token(userid, name)
        return {"data": None}

    @routes.get("/acl")
    async def rules() -> Answer:
        return {"data": world.access.rules}

    @routes.put("/acl")
    async def permit(given: Given) -> Answer:
        world.access.permit(given)
        return {"data": None}

    return routes
