"""Whatever is sent, no route answers with a fault of ours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.api import Api

YAML = ["a: b", "- a", "{a: b}", "&x *x", "!!python/object:os.system", "|\n  a", "'", '"', "#", "\n", "\r\n", "%0a"]
NASTY = [
    "\x00",
    "\u202e",
    "\ufeff",
    "\ud800",
    "x" * 300,
    "x" * 5000,
    "../../etc/passwd",
    "a_b",
    "-",
    "\U0001f511",
    *YAML,
    "'; DROP TABLE users; --",
    "{{7*7}}",
    "$(id)",
]
TEXTS = st.sampled_from(NASTY) | st.text(max_size=40) | st.text(min_size=290, max_size=310)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers() | st.floats()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)

CONTENT_TYPE = {"Content-Type": "application/json"}
FUZZ = settings(max_examples=60, deadline=None)
FUZZ_A_ROUTE = settings(FUZZ, max_examples=12)


@dataclass(frozen=True)
class Target:
    """A route as the document describes it."""

    method: str
    path: str
    path_parameters: list[str]
    query: list[str]
    headers: list[str]
    fields: list[str]

    @property
    def names(self) -> list[str]:
        """All parameters."""
        return [*self.path_parameters, *self.query, *self.headers]


def _targets(document: dict[str, Any]) -> Iterator[Target]:
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            parameters = operation.get("parameters", [])
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "/").rsplit("/", 1)[-1]

            def named(place: str, parameters: list[dict[str, Any]] = parameters) -> list[str]:
                return [parameter["name"] for parameter in parameters if parameter["in"] == place]

            fields = list(schemas.get(name, {}).get("properties", {}))
            yield Target(method.upper(), path, named("path"), named("query"), named("header"), fields)


@contextmanager
def _sent(client: httpx.Client, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
    """Send a request; of a stream that goes well, nothing is read."""
    with client.stream(method, path, **options) as response:
        if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
            response.read()
        yield response


def _encode(body: object) -> bytes:
    """Encode as JSON, with the lone surrogates and NaN that Python lets through and others send."""
    return json.dumps(body).encode()


def test_no_route_fails_on_any_input(api: Api) -> None:
    """Every route gets its own parameters and fields, holding anything, and now and then something else altogether."""
    client = api.customer().token_client()
    for target in _targets(client.get("/v1/openapi.json").json()):
        _fuzz(client, target)


def _fuzz(client: httpx.Client, target: Target) -> None:
    known = st.fixed_dictionaries(dict.fromkeys(target.fields, JSON))
    bodies = known | JSON if target.fields else st.none()

    @FUZZ_A_ROUTE
    @given(body=bodies, texts=st.lists(TEXTS, min_size=len(target.names), max_size=len(target.names)))
    def send(body: object, texts: list[str]) -> None:
        values = dict(zip(target.names, texts, strict=True))
        with _sent(
            client,
            target.method,
            target.path.format(**{name: _segment(values[name]) for name in target.path_parameters}),
            params={name: _text(values[name]) for name in target.query},
            headers={name: _text(values[name]).encode() for name in target.headers} | CONTENT_TYPE,
            content=_encode(body) if target.fields else None,
        ) as answer:
            assert answer.status_code < 500, (target, answer.text)
            if answer.is_error:
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert answer.json()["detail"]

    send()


def test_registering_and_logging_in_survive_any_address_and_password(api: Api) -> None:
    """And whoever could register can log in."""
    client = api.client()

    @FUZZ
    @given(email=TEXTS | st.emails(), password=TEXTS)
    def register(email: str, password: str) -> None:
        content = _encode({"email": email, "password": password})
        registered = client.post("/v1/auth/register", content=content, headers=CONTENT_TYPE)
        logged_in = client.post("/v1/auth/login", content=content, headers=CONTENT_TYPE)

        assert registered.status_code in {201, 409, 422}
        assert logged_in.status_code in {200, 401, 422}
        assert registered.status_code != 201 or logged_in.status_code == 200

    register()


def test_a_name_that_is_taken_is_given_back_as_it_was(api: Api) -> None:
    """Names of tokens are refused or kept; nothing in between."""
    client = api.customer().http

    @FUZZ
    @given(name=TEXTS)
    def create(name: str) -> None:
        content = _encode({"name": name, "scopes": ["keys:read"]})
        answer = client.post("/v1/tokens", content=content, headers=CONTENT_TYPE)

        assert answer.status_code in {201, 422}
        if answer.status_code == 201:
            assert answer.json()["name"] == name.strip()
            client.delete(f"/v1/tokens/{answer.json()['id']}").raise_for_status()

    create()


def _segment(text: str) -> str:
    """Escape a text for one segment of a path."""
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass")) or "%20"


def _text(text: str) -> str:
    """Return what an HTTP client can send of a text in a header or a query."""
    return "".join(c for c in text.encode("utf-8", "replace").decode() if c.isprintable()).strip()
