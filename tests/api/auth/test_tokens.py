"""API tokens: through HTTP, on real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select, update
from uuid_utils.compat import uuid7

from api.auth.models import ApiToken
from api.auth.tokens import MAX_TOKENS
from tests.fixtures.api import Api


def _create(client: httpx.Client, scopes: list[str], **fields: Any) -> httpx.Response:
    return client.post("/v1/tokens", json={"name": "ci", "scopes": scopes, **fields})


def _use(api: Api, token: str) -> httpx.Response:
    return api.client().get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def _in(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


def _rows(api: Api) -> list[ApiToken]:
    with api.runtime.database.transaction() as transaction:
        return list(transaction.session.scalars(select(ApiToken)))


def test_a_token_is_shown_once_and_stored_as_a_digest(api: Api) -> None:
    """The list and the database know it by everything but its secret."""
    client = api.customer().http
    created = _create(client, ["workloads:read", "account"]).raise_for_status().json()
    (listed,) = client.get("/v1/tokens").json()["items"]
    (row,) = _rows(api)

    assert created["token"].startswith("slw_")
    assert listed == {name: value for name, value in created.items() if name != "token"}
    assert listed["scopes"] == ["account", "workloads:read"]
    assert created["token"] not in str(vars(row))


def test_a_token_does_what_its_scopes_say_and_no_more(api: Api) -> None:
    """The refusal names the scope that is missing."""
    client = api.customer().token_client("keys:read")

    assert client.get("/v1/ssh-keys").status_code == 200
    refused = client.get("/v1/tokens")
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert refused.json()["required_scopes"] == ["account"]


def test_a_revoked_token_is_worthless_at_once(api: Api) -> None:
    """It is gone from the list too, and cannot be revoked twice."""
    client = api.customer().http
    created = _create(client, ["account"]).json()
    answer = client.delete(f"/v1/tokens/{created['id']}")

    assert answer.status_code == 204
    assert _use(api, created["token"]).status_code == 401
    assert client.get("/v1/tokens").json()["items"] == []
    assert client.delete(f"/v1/tokens/{created['id']}").status_code == 404


def test_an_expired_token_is_worthless(api: Api) -> None:
    """The database's clock decides."""
    created = _create(api.customer().http, ["account"], expires_at=_in(hours=1)).json()
    before = _use(api, created["token"]).status_code
    with api.runtime.database.transaction() as transaction:
        transaction.session.execute(update(ApiToken).values(expires_at=func.now() - timedelta(seconds=1)))

    assert before == 200
    assert _use(api, created["token"]).status_code == 401


@pytest.mark.parametrize(
    "expires_at",
    [
        _in(seconds=-1),
        _in(days=3651),
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2030-01-01T00:00:00",
        "soon",
        1e300,
    ],
    ids=["past", "too-far", "first-year", "last-year", "no-zone", "no-time", "huge"],
)
def test_an_expiry_must_lie_ahead_within_reason_and_name_its_zone(api: Api, expires_at: object) -> None:
    """Anything else is 422 and names the field."""
    answer = _create(api.customer().http, ["account"], expires_at=expires_at)

    assert answer.status_code == 422
    assert "expires_at" in answer.json()["detail"]


def test_a_token_cannot_make_one_with_more_scopes_than_its_own(api: Api) -> None:
    """Else the scope ``account`` would be all of them."""
    client = api.customer().token_client("account", "keys:read")

    refused = _create(client, ["keys:read", "orders:write"])
    assert (refused.status_code, refused.json()["required_scopes"]) == (403, ["orders:write"])
    assert _create(client, ["keys:read"]).status_code == 201


def test_a_token_cannot_outlive_itself_through_another(api: Api) -> None:
    """A leaked token of one day must not become one of ten years."""
    customer = api.customer()
    parent = _create(customer.http, ["account"], expires_at=_in(days=1)).json()["token"]
    client = api.client()
    client.headers["Authorization"] = f"Bearer {parent}"

    assert _create(client, ["account"], expires_at=_in(hours=1)).status_code == 201
    for fields in ({}, {"expires_at": _in(days=2)}):
        refused = _create(client, ["account"], **fields)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")


def test_its_use_is_noted_at_most_once_a_minute(api: Api) -> None:
    """A busy token does not turn every read into a write."""
    customer = api.customer()
    token = _create(customer.http, ["account"]).json()["token"]
    _use(api, token)
    first = _rows(api)[0].last_used_at
    _use(api, token)
    second = _rows(api)[0].last_used_at
    with api.runtime.database.transaction() as transaction:
        transaction.session.execute(update(ApiToken).values(last_used_at=func.now() - timedelta(seconds=61)))
    _use(api, token)
    third = _rows(api)[0].last_used_at

    assert first is not None
    assert second == first
    assert third is not None
    assert third > first


@pytest.mark.parametrize("scopes", [[], ["root"], ["workloads:*"], "account", [None]])
def test_unknown_scopes_are_refused_by_name(api: Api, scopes: object) -> None:
    """And a token without any scope is no token."""
    answer = api.customer().http.post("/v1/tokens", json={"name": "ci", "scopes": scopes})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("scopes")


def test_an_account_holds_a_bounded_number_of_tokens(api: Api) -> None:
    """One more is a conflict that says what to do."""
    customer = api.customer()
    with api.runtime.database.transaction() as transaction:
        transaction.session.execute(
            insert(ApiToken),
            [
                {"id": uuid7(), "user_id": customer.id, "name": "t", "token_hash": bytes([n]) * 32, "scopes": []}
                for n in range(MAX_TOKENS)
            ],
        )
    answer = _create(customer.http, ["account"])

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many")
    assert "revoke one first" in answer.json()["detail"]
