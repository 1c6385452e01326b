"""The engine's client of the machine API, against answers as they come."""

import json
from collections.abc import Iterator

import httpx
import pytest

from components.api_calls import TRIES
from components.specs.machine import DeploymentKind
from pxe.client import MachineApi
from pxe.connection import connect, metal_settings
from pxe.errors import ApiRefused, ApiUnreachable, BadMetalSettings, GrantVoid
from tests.fakes.machine_api import GRANT
from tests.fakes.scripted_http import Answer, ScriptedServer, scripted_server

_VARIABLES = ("URL", "GRANT", "DEADLINES", "VERIFY_SSH", "GRACEFUL")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Something that answers as it is told."""
    with scripted_server() as script:
        yield script


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> pytest.MonkeyPatch:
    """The environment of an engine that knows the server."""
    for name in _VARIABLES:
        monkeypatch.delenv(f"SLIPWAY_METAL_{name}", raising=False)
    monkeypatch.setenv("SLIPWAY_METAL_URL", f"{server.url}/")
    monkeypatch.setenv("SLIPWAY_METAL_GRANT", GRANT)
    return monkeypatch


@pytest.fixture
def api(server: ScriptedServer) -> Iterator[MachineApi]:
    """A client that does not really pause."""
    http = httpx.Client(base_url=f"{server.url}/v1/metal", headers={"Authorization": f"Bearer {GRANT}"}, timeout=5)
    with MachineApi(http, pause=lambda _seconds: None) as client:
        yield client


def test_the_grant_goes_along_and_the_address_is_the_apis(environment: object, server: ScriptedServer) -> None:
    """As the environment has them."""
    del environment
    server.answers.append(Answer(404, {"code": "not_found"}))
    with connect(metal_settings()) as client:
        assert client.machine() is None
    (asked,) = server.requests
    assert (asked.path, asked.headers["Authorization"]) == ("/v1/metal/machine", f"Bearer {GRANT}")


@pytest.mark.parametrize(("name", "value"), [("URL", ""), ("URL", "ftp://x"), ("GRANT", ""), ("VERIFY_SSH", "perhaps")])
def test_settings_that_are_wrong_are_named_and_not_repeated(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """What was given is not in the message: it may be a grant in the wrong place."""
    environment.setenv(f"SLIPWAY_METAL_{name}", value)
    with pytest.raises(BadMetalSettings, match=rf"SLIPWAY_METAL_{name}: .*\(metal/settings\)$") as caught:
        metal_settings()
    assert GRANT not in str(caught.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_api_that_is_away_is_asked_again(api: MachineApi, server: ScriptedServer, status: int) -> None:
    """For half a minute, and then it is said so."""
    server.answers.extend([Answer(status, {})] * TRIES)
    with pytest.raises(ApiUnreachable, match=rf"answers {status} \(metal/api_unreachable, again\)"):
        api.machine()
    assert len(server.requests) == TRIES


def test_a_void_grant_is_not_tried_again(api: MachineApi, server: ScriptedServer) -> None:
    """The operation is another worker's by now, or over."""
    server.answers.append(Answer(401, {"code": "unauthenticated", "detail": "the grant has expired"}))
    with pytest.raises(GrantVoid, match=r"\(the grant has expired\): the operation .* is over"):
        api.release()
    assert len(server.requests) == 1


def test_a_refusal_is_told_in_the_apis_words(api: MachineApi, server: ScriptedServer) -> None:
    """With its code, for programs."""
    server.answers.append(Answer(409, {"code": "conflict", "detail": "machine 'dl-1' is 'active'"}))
    with pytest.raises(ApiRefused, match="machine 'dl-1' is 'active'") as caught:
        api.open(DeploymentKind.WIPE, "wipe-1")
    assert (caught.value.status, caught.value.reason) == (409, "conflict")
    assert server.requests[0].body == {"kind": "wipe", "key": "wipe-1"}


@pytest.mark.parametrize("text", ["<html>", json.dumps({"machine_id": "x"})])
def test_something_else_that_answers_is_not_believed(api: MachineApi, server: ScriptedServer, text: str) -> None:
    """A proxy's page, or an API of another version."""
    server.answers.append(Answer(200, text))
    with pytest.raises(ApiUnreachable, match="is not the machine API of this version"):
        api.machine()
