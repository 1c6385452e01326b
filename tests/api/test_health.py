"""Liveness and readiness."""

from pydantic import SecretStr

from api.db.session import Database, connect
from api.settings import Settings
from tests.fixtures.api import Api, run_api

NOWHERE = SecretStr("unix:///nonexistent/redis.sock")


def test_with_everything_there_it_is_ready(api: Api) -> None:
    """Both stores answer."""
    answer = api.client().get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "redis": "ok"})


def test_without_the_database_it_lives_but_is_not_ready(settings: Settings) -> None:
    """A load balancer takes the process out; a supervisor does not restart it for another's outage."""
    database = connect("postgresql:///nothing?host=/nonexistent")
    with run_api(settings, database) as api:
        alive, ready = api.client().get("/healthz"), api.client().get("/readyz")

    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["database"]) == (503, "unreachable")
    assert int(ready.headers["Retry-After"]) > 0


def test_without_redis_it_is_ready_but_degraded(settings: Settings, database: Database) -> None:
    """Rows are the truth: without the broker and the rate limits, customers are still served."""
    with run_api(settings.model_copy(update={"redis_url": NOWHERE}), database) as api:
        answer = api.client().get("/readyz")
        customer = api.customer()

    assert (answer.status_code, answer.json()["status"], answer.json()["redis"]) == (200, "degraded", "unreachable")
    assert customer.email
