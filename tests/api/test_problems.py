"""Every error is a problem document that names the fault and the fix, and gives no secret away."""

import pytest
from sqlalchemy import text

from api.db.session import connect
from api.runtime import SessionDep
from api.settings import Settings
from tests.fixtures.api import Api, run_api

JSON = {"Content-Type": "application/json"}


def test_an_unknown_address_is_a_problem_document(api: Api) -> None:
    """The router's own 404 looks like all others."""
    answer = api.client().get("/v1/nowhere")

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:slipway:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "there is nothing at this address: /v1/openapi.json lists what there is",
        "code": "not_found",
        "retryable": False,
        "request_id": answer.headers["X-Request-Id"],
    }


def test_a_wrong_method_names_the_right_ones(api: Api) -> None:
    """405 comes with its Allow header (RFC 9110, section 15.5.6)."""
    answer = api.client().delete("/v1/auth/login")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


def test_each_wrong_field_is_named_with_its_fix(api: Api) -> None:
    """Pointers lead into the body; the sentence in ``detail`` reads on its own."""
    answer = api.customer().http.post("/v1/tokens", json={"scopes": ["workloads:rule"], "colour": "red"})

    assert answer.status_code == 422
    errors = {entry["pointer"]: entry["detail"] for entry in answer.json()["errors"]}
    assert errors["#/name"] == "this is required: add it"
    assert errors["#/colour"] == "there is no such field: remove it"
    assert "'workloads:read'" in errors["#/scopes/0"]
    assert answer.json()["detail"].startswith("name: this is required: add it; ")


def test_a_wrong_query_parameter_is_named(api: Api) -> None:
    """A query has no pointer, but a location and a name."""
    answer = api.customer().http.get("/v1/tokens", params={"limit": 101})

    assert answer.json()["errors"] == [
        {"location": "query", "field": "limit", "detail": "Input should be less than or equal to 100"}
    ]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", JSON, 422),
        (b'{"email": "\xff"}', JSON, 400),
        (b"", JSON, 422),
        (b"null", JSON, 422),
        (b"[" * 100_000, JSON, 400),
        (b'{"email": "a@example.com", "password": NaN}', JSON, 422),
        (b"email=a@example.com", {"Content-Type": "application/x-www-form-urlencoded"}, 422),
        (b'{"email": "a@example.com"}', {}, 422),
    ],
)
def test_a_body_that_cannot_be_read_is_the_callers_mistake(
    api: Api, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Broken, deeply nested or undeclared JSON is 400 or 422, never a fault of ours."""
    answer = api.client().post("/v1/auth/login", content=content, headers=headers)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_refused_password_is_not_repeated(api: Api) -> None:
    """Validation errors leave out what was sent."""
    credentials = {"email": "not an address", "password": "hunter2"}
    answer = api.client().post("/v1/auth/register", json=credentials)

    assert {entry["field"] for entry in answer.json()["errors"]} == {"email", "password"}
    assert "hunter2" not in answer.text


def test_long_field_names_and_those_with_slashes_are_pointed_to(api: Api) -> None:
    """A pointer escapes what would lead elsewhere (RFC 6901), and does not send a MiB back."""
    answer = api.client().post("/v1/auth/login", json={"~/ä": 2, "x" * 100_000: 3})

    pointers = [entry["pointer"] for entry in answer.json()["errors"]]
    assert answer.status_code == 422
    assert "#/~0~1%C3%A4" in pointers
    assert len(answer.content) < 3000


@pytest.mark.parametrize(
    "body",
    [
        b'{"\\ud800": 1}',
        b'{"email": "\\ud800@example.com", "password": "correct horse battery"}',
        b'{"email": "a@\\ud800.example.com", "password": "correct horse battery"}',
        b'{"email": "a@example.com", "password": "\\ud800correct horse battery"}',
    ],
)
def test_characters_that_no_encoding_has_are_refused(api: Api, body: bytes) -> None:
    """JSON can hold lone surrogates; UTF-8 and PostgreSQL cannot."""
    for path in ("/v1/auth/login", "/v1/auth/register"):
        answer = api.client().post(path, content=body, headers=JSON)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
def test_a_text_that_cannot_be_stored_is_the_callers_mistake(api: Api, value: str) -> None:
    """A route that lets such a text through to the database answers 422 all the same."""

    def look_up(session: SessionDep) -> None:
        session.execute(text("SELECT 1 FROM sites WHERE slug = :slug"), {"slug": value})

    api.app.add_api_route("/look-up", look_up)
    answer = api.client().get("/look-up")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


def test_a_thousand_wrong_fields_are_summed_up(api: Api) -> None:
    """The answer stays short, however much is wrong."""
    answer = api.client().post("/v1/auth/login", json={f"field{n}": n for n in range(1000)})

    assert len(answer.json()["errors"]) == 20
    assert answer.json()["detail"].endswith("and 999 more")


def test_without_the_database_callers_are_told_to_try_again(settings: Settings) -> None:
    """An outage is 503 with a time to come back, and says nothing of where the database should have been."""
    with run_api(settings, connect("postgresql:///secret-name?host=/nonexistent")) as api:
        answer = api.client().get("/v1/me", headers={"Authorization": "Bearer slw_x"})

    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.json()["retryable"] is True
    assert int(answer.headers["Retry-After"]) > 0
    assert "nonexistent" not in answer.text
    assert "secret-name" not in answer.text


def test_a_constraint_violated_by_two_requests_at_once_is_a_conflict(api: Api) -> None:
    """What only the database could see is 409 and may be tried again."""

    def insert_twice(session: SessionDep) -> None:
        for _ in range(2):
            session.execute(text("INSERT INTO sites (id, slug, name) VALUES (gen_random_uuid(), 'fsn', 'Falkenstein')"))

    api.app.add_api_route("/twice", insert_twice)
    answer = api.client().get("/twice")

    assert (answer.status_code, answer.json()["code"]) == (409, "concurrent_change")
    assert answer.json()["retryable"] is True
    assert "fsn" not in answer.text


def test_a_statements_parameters_reach_neither_the_answer_nor_the_log(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """They may be digests of passwords and tokens."""
    parameters = {"secret": "hunter2"}

    def fail(session: SessionDep) -> None:
        session.execute(text("SELECT :secret FROM nowhere"), parameters)

    api.app.add_api_route("/fail", fail)
    answer = api.client().get("/fail")

    assert answer.status_code == 500
    assert "nowhere" in caplog.text
    assert "hunter2" not in caplog.text + answer.text
