"""Rate limits: shared through Redis, and what holds without it."""

from typing import cast

import pytest
from fastapi import Request
from pydantic import SecretStr
from redis import Redis

from api.db.session import Database
from api.errors import RateLimited
from api.limits import RateLimits, client_address
from api.redis import connect_redis
from api.settings import Settings
from tests.fixtures.api import PASSWORD, run_api

NOWHERE = "unix:///nonexistent/redis.sock"


def _limits(redis: Redis, requests: int = 3, logins: int = 2) -> RateLimits:
    return RateLimits(redis, requests_per_minute=requests, logins_per_minute=logins)


def _request_from(host: str | None) -> Request:
    """Return a request as uvicorn would hand it over."""
    client = None if host is None else (host, 4711)
    return Request({"type": "http", "client": client, "headers": []})


def test_processes_share_one_count(redis: Redis) -> None:
    """Two API processes together let a caller make the minute's requests once, and another caller is free."""
    first, second = _limits(redis), _limits(redis)
    first.count_request("a")
    second.count_request("a")
    first.count_request("a")

    with pytest.raises(RateLimited) as refused:
        second.count_request("a")
    second.count_request("b")

    assert 1 <= refused.value.fields["retry_after_seconds"] <= 60


def test_guesses_at_one_account_are_counted_over_all_addresses(redis: Redis) -> None:
    """A botnet gets no more guesses at an account than one machine does."""
    limits = _limits(redis)
    limits.count_login("192.0.2.1", "victim@example.com")
    limits.count_login("192.0.2.2", "victim@example.com")

    with pytest.raises(RateLimited):
        limits.count_login("192.0.2.3", "victim@example.com")


def test_guesses_from_one_address_are_counted_over_all_accounts(redis: Redis) -> None:
    """One machine cannot try one password on many accounts."""
    limits = _limits(redis)
    limits.count_login("192.0.2.1", "a@example.com")
    limits.count_login("192.0.2.1", "b@example.com")

    with pytest.raises(RateLimited):
        limits.count_login("192.0.2.1", "c@example.com")


def test_redis_learns_no_email_address(redis: Redis) -> None:
    """Keys hold a digest of the account, not its address."""
    _limits(redis).count_login("192.0.2.1", "customer@example.com")

    keys = cast("list[bytes]", redis.keys())
    assert keys
    assert not any(b"customer@" in key for key in keys)


def test_without_redis_requests_pass_and_logins_are_counted_here() -> None:
    """An outage of Redis is not one of the API, and does not make guessing passwords free."""
    limits = _limits(connect_redis(NOWHERE))
    for _ in range(10):
        limits.count_request("a")
    limits.count_login("192.0.2.1", "a@example.com")
    limits.count_login("192.0.2.1", "a@example.com")

    with pytest.raises(RateLimited):
        limits.count_login("192.0.2.1", "a@example.com")


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        (None, "local"),
    ],
)
def test_an_ipv6_customer_is_counted_by_the_whole_network(host: str | None, counted: str) -> None:
    """One customer holds 2^64 addresses of a /64; a mapped IPv4 address is that IPv4 address."""
    assert client_address(_request_from(host)) == counted


def _small(settings: Settings, **limits: int) -> Settings:
    return settings.model_copy(update=limits)


def test_a_caller_over_the_limit_is_told_when_to_come_back(settings: Settings, database: Database) -> None:
    """429 with Retry-After; two tokens of one customer have a share each, and so has the address."""
    with run_api(_small(settings, requests_per_minute=4), database) as api:
        customer = api.customer()
        first, second = customer.token_client(), customer.token_client()
        statuses = [first.get("/v1/me").status_code for _ in range(5)]
        refused = first.get("/v1/me")
        other = second.get("/v1/me")

    assert statuses == [200, 200, 200, 200, 429]
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["retryable"] is True
    assert refused.headers["Retry-After"] == str(refused.json()["retry_after_seconds"])
    assert other.status_code == 200


def test_made_up_tokens_all_count_against_their_address(settings: Settings, database: Database) -> None:
    """A new bad token each time does not buy a new share."""
    with run_api(_small(settings, requests_per_minute=3), database) as api:
        client = api.client()
        statuses = [
            client.get("/v1/me", headers={"Authorization": f"Bearer slw_{guess}"}).status_code for guess in range(5)
        ]

    assert statuses == [401, 401, 401, 429, 429]


def test_logins_are_limited_before_the_password_is_looked_at(settings: Settings, database: Database) -> None:
    """After the minute's guesses even the right password has to wait."""
    with run_api(_small(settings, logins_per_minute=4), database) as api:
        customer = api.customer()  # one registration, one login
        client = api.client()
        wrong = {"email": customer.email, "password": "wrong wrong wrong"}
        right = {"email": customer.email, "password": PASSWORD}
        guesses = [client.post("/v1/auth/login", json=wrong).status_code for _ in range(2)]
        late = client.post("/v1/auth/login", json=right)

    assert guesses == [401, 401]
    assert (late.status_code, late.json()["code"]) == (429, "rate_limited")


def test_without_redis_logins_stay_limited(settings: Settings, database: Database) -> None:
    """The whole way through HTTP, with a Redis that is not there."""
    away = _small(settings, logins_per_minute=3).model_copy(update={"redis_url": SecretStr(NOWHERE)})
    with run_api(away, database) as api:
        customer = api.customer()
        client = api.client()
        body = {"email": customer.email, "password": "wrong wrong wrong"}
        statuses = [client.post("/v1/auth/login", json=body).status_code for _ in range(2)]

    assert statuses == [401, 429]
