"""What surrounds the routes: ids, headers, limits on bodies, and the last resort."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.responses import StreamingResponse

from api.db.session import Database
from api.settings import Settings
from tests.fixtures.api import Api, run_api
from tests.fixtures.engine import until

MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}


def test_a_sane_request_id_is_kept_so_that_one_id_runs_through_all_systems(api: Api) -> None:
    """The caller's id comes back in the header and stands in the problem document."""
    answer = api.client().get("/v1/me", headers={"X-Request-Id": "order-4711.retry_2"})

    assert answer.headers["X-Request-Id"] == "order-4711.retry_2"
    assert answer.json()["request_id"] == "order-4711.retry_2"


@pytest.mark.parametrize("offered", ["short", "x" * 65, "with space in it", "new\tline-of-log", "<script>alert()"])
def test_a_request_id_that_could_harm_the_logs_is_replaced(api: Api, offered: str) -> None:
    """Anything but 8 to 64 letters, digits, dots, dashes and underscores gives way to an id of ours."""
    answer = api.client().get("/healthz", headers={"X-Request-Id": offered})

    assert UUID(answer.headers["X-Request-Id"]).version == 7


@pytest.mark.parametrize("path", ["/healthz", "/v1/me", "/nowhere", "/v1/openapi.json"])
def test_every_answer_carries_the_security_headers(api: Api, path: str) -> None:
    """Errors and the router's own answers too."""
    headers = api.client().get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_strict_transport_security_is_sent_where_there_is_tls(settings: Settings, database: Database) -> None:
    """Without TLS, in development, the header would lock a browser out of every other port."""
    with run_api(settings.model_copy(update={"secure_cookies": True}), database) as api:
        assert "max-age=" in api.client().get("/healthz").headers["Strict-Transport-Security"]


def test_a_body_announced_as_too_large_is_refused_unread(api: Api) -> None:
    """One byte over a MiB is 413, a MiB is read."""
    client = api.client()

    refused = client.post("/v1/auth/login", content=b" " * (MIB + 1), headers=JSON)
    read = client.post("/v1/auth/login", content=b" " * MIB, headers=JSON)

    assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")
    assert read.status_code == 422


def test_a_body_without_announced_length_is_cut_off(api: Api) -> None:
    """A chunked body that goes on past a MiB is 413."""

    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * (MIB // 10)

    answer = api.client().post("/v1/auth/login", content=endless(), headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_an_unexpected_error_tells_nothing_but_its_request_id(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The exception's text stays in the log; the answer is a problem document with all its headers."""

    def boom() -> None:
        raise RuntimeError("password=hunter2")

    api.app.add_api_route("/boom", boom)
    with caplog.at_level(logging.ERROR):
        answer = api.client().get("/boom")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "hunter2" not in answer.text


def test_the_line_at_a_requests_end_says_what_answered_and_never_where(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """Its route by name, as the metrics have it: ids of a path would be for nobody to group by."""

    def lines() -> list[dict[str, Any]]:
        told = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        return [line for line in told if line["event"] == "request"]

    with caplog.at_level(logging.INFO):
        api.client().get("/v1/orders/11111111-1111-4111-8111-111111111111")
        until(lambda: lines() != [])
    (line,) = lines()
    assert (line["route"], line["method"], line["status"]) == ("get_order", "GET", 401)
    assert "11111111" not in str({**line, "request_id": ""})


def test_an_answer_that_breaks_off_is_not_passed_off_as_whole(api: Api) -> None:
    """When a stream fails half-way the connection is cut, so that the caller notices."""

    def broken() -> Iterator[bytes]:
        yield b"the first half"
        raise RuntimeError("the disk is gone")

    api.app.add_api_route("/stream", lambda: StreamingResponse(broken()), response_model=None)

    with pytest.raises(httpx.RemoteProtocolError):
        api.client().get("/stream")


def test_the_document_is_openapi_3_1_and_says_what_errors_look_like(api: Api) -> None:
    """Each operation's default answer is the problem document, and FastAPI's own error schema is nowhere."""
    document = api.client().get("/v1/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for item in document["paths"].values():
        for operation in item.values():
            schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}


def test_the_reference_lists_every_route_without_any_script(api: Api) -> None:
    """The page for people needs nothing from another host."""
    client = api.client()
    page = client.get("/v1/docs")

    assert page.headers["Content-Type"].startswith("text/html")
    assert "<script" not in page.text
    for path in client.get("/v1/openapi.json").json()["paths"]:
        assert path in page.text
