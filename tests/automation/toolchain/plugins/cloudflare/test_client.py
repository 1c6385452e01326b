"""Calling Cloudflare's API."""

import socket
from typing import Any

import pytest

from automation.toolchain.plugins.cloudflare.client import CloudflareClient, CloudflareError
from tests.fakes.scripted_http import Answer, ScriptedServer


def answering(server: ScriptedServer, *answers: Answer) -> CloudflareClient:
    """A client of a server with these answers."""
    server.answers.extend(answers)
    return CloudflareClient("secret token", f"{server.url}/")


def success(result: Any) -> dict[str, Any]:
    """Cloudflare's envelope."""
    return {"success": True, "result": result, "errors": []}


def test_the_result_comes_out_of_the_envelope(scripted_http: ScriptedServer) -> None:
    """And the token goes along."""
    client = answering(scripted_http, Answer(200, success({"id": "x"})))
    assert client.call("POST", "/zones", {"name": "a"}) == {"id": "x"}
    (request,) = scripted_http.requests
    assert (request.method, request.path, request.body) == ("POST", "/zones", {"name": "a"})
    assert request.headers["Authorization"] == "Bearer secret token"


def test_a_refusal_carries_cloudflares_reason_and_never_the_token(scripted_http: ScriptedServer) -> None:
    """For the operator."""
    errors = [{"code": 9109, "message": "Invalid access token"}]
    client = answering(scripted_http, Answer(403, {"success": False, "result": None, "errors": errors}))
    with pytest.raises(CloudflareError) as caught:
        client.call("GET", "/zones/1")
    assert str(caught.value) == "Cloudflare refused GET /zones/1 with status 403: Invalid access token (code 9109)"
    assert caught.value.codes == {9109}
    assert not caught.value.is_absence


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_is_tried_again(scripted_http: ScriptedServer, status: int) -> None:
    """After a refusal for the rate, and after a server's error."""
    client = answering(scripted_http, Answer(status, {}, {"Retry-After": "0"}), Answer(200, success([])))
    assert client.call("GET", "/zones") == []
    assert len(scripted_http.requests) == 2


def test_a_creation_is_tried_again_only_if_it_was_not_carried_out(scripted_http: ScriptedServer) -> None:
    """A refusal for the rate was not; after a server's error nobody knows."""
    client = answering(scripted_http, Answer(429, {}, {"Retry-After": "0"}), Answer(200, success({"id": "1"})))
    assert client.call("POST", "/zones", {}) == {"id": "1"}
    client = answering(scripted_http, Answer(502, {}), Answer(200, success({"id": "2"})))
    with pytest.raises(CloudflareError, match="status 502: no reason given"):
        client.call("POST", "/zones", {})


def test_an_answer_that_is_no_json_is_a_refusal(scripted_http: ScriptedServer) -> None:
    """A proxy's page, say."""
    client = answering(scripted_http, Answer(200, "<html>"))
    with pytest.raises(CloudflareError, match="status 200: no reason given"):
        client.call("GET", "/zones")


def test_no_answer_is_an_error_of_its_own() -> None:
    """It names the request, and nothing is known about the object."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(CloudflareError, match=r"did not answer POST /zones") as caught:
        CloudflareClient("t", url, patience=0).call("POST", "/zones", {})
    assert caught.value.status == 0
