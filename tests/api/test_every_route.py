"""A sweep over the OpenAPI document: a route added later fails here until it is safe."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.auth.models import Role
from api.auth.scopes import ALL_SCOPES, STAFF_SCOPES, Scope
from api.auth.staff import RoleCheck, may
from api.metrics import endpoints as metrics
from api.routes import ROUTERS, UNCOUNTED_ROUTERS
from components.specs.signals import METRICS_PATH
from tests.factories.estate import stock
from tests.fixtures.api import Api, Customer
from tests.fixtures.tenants import BODIES, OWNED, PUBLIC_THINGS

PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "POST /v1/auth/register",
    "POST /v1/auth/login",
    "GET /v1/products",
    "POST /v1/stripe/webhook",
    "POST /v1/alertmanager/webhook",
}
"""Routes that serve anybody, or whose sender needs no account to prove itself. Think twice before adding one."""

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NO_SUCH_ID = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Operation:
    """A route of the document."""

    method: str
    path: str
    id: str
    security: list[dict[str, list[str]]]
    parameters: list[str] = field(default_factory=list)
    takes_body: bool = False

    @property
    def name(self) -> str:
        """The route as people write it."""
        return f"{self.method} {self.path}"

    @property
    def is_for_staff(self) -> bool:
        """Whether its address says that no customer has business there."""
        return self.path.startswith(("/v1/admin/", "/v1/inventory/")) or self.path == METRICS_PATH

    @property
    def is_for_engines(self) -> bool:
        """Whether it knows no account, but the grant of an operation."""
        return self.security == [{"grant": []}]

    @property
    def scopes(self) -> set[str]:
        """All scopes that any of its ways to authenticate names."""
        return {scope for way in self.security for scopes in way.values() for scope in scopes}

    def send(self, client: httpx.Client, ids: dict[str, str] | None = None) -> tuple[int, str | None]:
        """Call the route and return status and error code; a stream is not read."""
        path = self.path.format(**{name: (ids or {}).get(name, NO_SUCH_ID) for name in self.parameters})
        body = BODIES.get(self.id) if self.takes_body else None
        with client.stream(self.method, path, json=body) as response:
            if response.is_success:
                return response.status_code, None
            response.read()
            return response.status_code, response.json()["code"]


@pytest.fixture
def operations(api: Api) -> list[Operation]:
    """Return every route of the document."""
    document = api.client().get("/v1/openapi.json").raise_for_status().json()
    return list(_operations(document))


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, description in item.items():
            parameters = [p["name"] for p in description.get("parameters", []) if p["in"] == "path"]
            yield Operation(
                method=method.upper(),
                path=path,
                id=description["operationId"],
                security=description.get("security", []),
                parameters=parameters,
                takes_body="requestBody" in description,
            )


@pytest.fixture
def guarded(operations: list[Operation]) -> list[Operation]:
    """Return the routes for accounts."""
    return [operation for operation in operations if operation.name not in PUBLIC and not operation.is_for_engines]


def test_only_the_listed_routes_are_public(operations: list[Operation]) -> None:
    """A route without authentication must be on the list, and the list holds nothing else."""
    assert {operation.name for operation in operations if not operation.security} == PUBLIC


def test_no_route_hides_from_the_document() -> None:
    """What is not in the document would not be swept."""
    hidden = [
        getattr(route, "path", route)
        for router in (*ROUTERS, *UNCOUNTED_ROUTERS)
        for route in router.routes
        if not getattr(route, "include_in_schema", False)
    ]
    assert hidden == []


def test_each_guarded_route_names_one_known_scope(guarded: list[Operation]) -> None:
    """A scope that no token can have, or none at all, is a mistake."""
    wrong = {
        operation.name: operation.scopes
        for operation in guarded
        if len(operation.scopes) != 1 or not operation.scopes <= ALL_SCOPES
    }
    assert wrong == {}


def test_operation_ids_are_unique(operations: list[Operation]) -> None:
    """Generated clients name their methods after them."""
    ids = [operation.id for operation in operations]
    assert sorted(ids) == sorted(set(ids))


def test_strangers_are_turned_away(api: Api, guarded: list[Operation]) -> None:
    """Without credentials, or with made-up ones, every guarded route answers 401."""
    bearer, cookie = api.client(), api.client()
    bearer.headers["Authorization"] = "Bearer slw_made-up"
    cookie.cookies.set("slipway", "made-up")
    answers = {
        operation.name: {operation.send(client)[0] for client in (api.client(), bearer, cookie)}
        for operation in guarded
    }
    assert {name: statuses for name, statuses in answers.items() if statuses != {401}} == {}


def test_engines_routes_take_a_grant_and_nothing_else(api: Api, operations: list[Operation]) -> None:
    """What lies under ``/v1/metal`` answers 401 to strangers, to customers and to staff of every kind."""
    bearer, person = api.client(), api.staff(Role.ADMIN)
    bearer.headers["Authorization"] = "Bearer slg_made-up"
    clients = (api.client(), bearer, person.http, person.token_client(*ALL_SCOPES))
    for_engines = [operation for operation in operations if operation.is_for_engines]
    answers = {operation.name: {operation.send(client)[0] for client in clients} for operation in for_engines}
    assert {operation.path for operation in operations if operation.path.startswith("/v1/metal/")} == {
        operation.path for operation in for_engines
    }
    assert {name: statuses for name, statuses in answers.items() if statuses != {401}} == {}


def test_a_token_without_the_scope_is_refused(api: Api, guarded: list[Operation]) -> None:
    """A token with every scope but the one that is needed gets 403."""
    person = api.staff(Role.ADMIN)
    clients = {scope: person.token_client(*(ALL_SCOPES - {scope})) for scope in ALL_SCOPES}
    answers = {operation.name: operation.send(clients[_only(operation.scopes)]) for operation in guarded}
    assert {name: answer for name, answer in answers.items() if answer != (403, "missing_scope")} == {}


def test_a_cookie_without_its_csrf_token_changes_nothing(api: Api, guarded: list[Operation]) -> None:
    """A page of another site can make a browser send the cookie, so the cookie alone gets 403."""
    customer = api.customer()
    without, wrong = customer.cookie_client(), customer.cookie_client()
    wrong.headers["X-CSRF-Token"] = "made-up"
    answers = {
        operation.name: {operation.send(client) for client in (without, wrong)}
        for operation in guarded
        if operation.method not in SAFE_METHODS
    }
    assert {name: found for name, found in answers.items() if found != {(403, "csrf_token_required")}} == {}


def test_a_suspended_customer_is_refused(api: Api, guarded: list[Operation]) -> None:
    """Suspension holds for sessions and tokens that are already out."""
    customer = api.customer()
    token = customer.token_client()
    api.suspend(customer)
    answers = {operation.name: {operation.send(client) for client in (customer.http, token)} for operation in guarded}
    assert {name: found for name, found in answers.items() if found != {(403, "account_suspended")}} == {}


def test_another_tenants_things_do_not_exist(api: Api, guarded: list[Operation]) -> None:
    """With another customer's ids every route answers 404; with the owner's own credentials, it works.

    Staff's routes answer no customer at all (below).
    """
    stock(api.runtime.database, api.runtime.vault)
    owner, intruder = api.customer(), api.customer()
    clients = (intruder.http, intruder.token_client())
    failures = {}
    for operation in guarded:
        if not set(operation.parameters) - PUBLIC_THINGS or operation.is_for_staff:
            continue
        ids = _make(api, owner, operation)
        seen = {operation.send(client, ids)[0] for client in clients}
        allowed = operation.send(owner.http, ids)[0]
        if seen != {404} or allowed in {401, 403, 404, 422}:
            failures[operation.name] = {"intruder": seen, "owner": allowed}
    assert failures == {}


def test_staffs_routes_and_no_others_need_a_scope_of_staff(guarded: list[Operation]) -> None:
    """What lies under ``/v1/admin`` is for people, what lies under ``/v1/inventory``, and the figures, for tokens."""
    wrong = {
        operation.name: operation.scopes
        for operation in guarded
        if operation.is_for_staff is not (operation.scopes <= STAFF_SCOPES)
        or operation.path.startswith("/v1/admin/") is not (operation.scopes == {Scope.ADMIN})
    }
    assert wrong == {}


def test_customers_are_refused_at_staffs_routes(api: Api, guarded: list[Operation]) -> None:
    """With a session, and with a token that has all a customer can have."""
    customer = api.customer()
    clients = (customer.http, customer.token_client())
    answers = {
        operation.name: {operation.send(client) for client in clients}
        for operation in guarded
        if operation.is_for_staff
    }
    assert {name: found for name, found in answers.items() if found != {(403, "missing_scope")}} == {}


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OPERATOR])
def test_staff_are_refused_what_is_above_their_role(api: Api, guarded: list[Operation], role: Role) -> None:
    """The role a route asks for is read off its declaration; at those within reach they are not refused for it."""
    person = api.staff(role)
    routers = (*ROUTERS, metrics.router)
    needed = {route.name: _needed(route.dependant) for router in routers for route in router.routes if _is_api(route)}
    wrong = {}
    for operation in guarded:
        if operation.is_for_staff:
            refused = operation.send(person.http)[1] == "role_required"
            if refused is may(role, needed[operation.id]):
                wrong[operation.name] = (needed[operation.id], refused)
    assert wrong == {}


def _is_api(route: object) -> TypeGuard[APIRoute]:
    return isinstance(route, APIRoute)


def _needed(dependant: Dependant) -> Role:
    """Return the role that a route asks for; that of a customer if it asks for none."""
    found = [part.call.needed for part in dependant.dependencies if isinstance(part.call, RoleCheck)]
    return max([*found, *map(_needed, dependant.dependencies)], key=list(Role).index, default=Role.CUSTOMER)


def _make(api: Api, owner: Customer, operation: Operation) -> dict[str, str]:
    unknown = set(operation.parameters) - OWNED.keys()
    assert not unknown, f"{operation.name}: tell tests/fixtures/tenants.py how to make {unknown}"
    assert not operation.takes_body or operation.id in BODIES, (
        f"{operation.name}: tell tests/fixtures/tenants.py of a valid body for {operation.id!r}"
    )
    return {name: OWNED[name](api, owner) for name in operation.parameters}


def _only(scopes: set[str]) -> Any:
    (scope,) = scopes
    return scope
