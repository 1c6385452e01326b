"""PostgreSQL and Redis of a system: started here, or given by the operator and made sure of."""

from collections.abc import Callable, Mapping

import psycopg

from automation.embedded.environment import MIGRATION_DATABASE_URL
from automation.embedded.errors import StartError
from automation.embedded.home import Home
from automation.embedded.probes import ensure_database, redis_answers
from automation.embedded.supervisor import Supervisor
from automation.engine.backend import state_url

DATABASE = "slipway"
STATE_DATABASE = "slipway-state"


def start_stores(
    given: Mapping[str, str], home: Home, supervisor: Supervisor, report: Callable[[str], None]
) -> dict[str, str]:
    """Start what ``given`` (the environment) names no address of, make both databases, and return all addresses.

    Raises:
        StartError: if a given server cannot be reached, or a database not be made, naming the variable.
        ServiceFailedError: if an embedded server does not come up.
    """
    redis = given.get("REDIS_URL") or _launch_redis(home, supervisor, report)
    database = given.get("DATABASE_URL") or _launch_postgres(home, supervisor, report)
    supervisor.await_ready()
    if not redis_answers(redis):
        raise StartError("REDIS_URL: no Redis answers there")
    owner = given.get(MIGRATION_DATABASE_URL)
    _make(MIGRATION_DATABASE_URL if owner else "DATABASE_URL", owner or database)
    state = given.get("SLIPWAY_STATE_DATABASE_URL") or state_url(database, STATE_DATABASE)
    _make("SLIPWAY_STATE_DATABASE_URL", state)
    return {"DATABASE_URL": database, "REDIS_URL": redis, "SLIPWAY_STATE_DATABASE_URL": state}


def _make(variable: str, url: str) -> None:
    try:
        ensure_database(url)
    except psycopg.Error as error:
        raise StartError(f"{variable}: the database can neither be reached nor made: {error}") from error


def _launch_postgres(home: Home, supervisor: Supervisor, report: Callable[[str], None]) -> str:
    from automation.embedded.servers import postgres_service  # noqa: PLC0415 - an extra that operators do without

    report("Starting PostgreSQL")
    postgres = postgres_service(home.postgres)
    supervisor.launch(postgres.service)
    return postgres.url(DATABASE)


def _launch_redis(home: Home, supervisor: Supervisor, report: Callable[[str], None]) -> str:
    from automation.embedded.servers import redis_service  # noqa: PLC0415 - an extra that operators do without

    report("Starting Redis")
    service, url = redis_service(home.redis)
    supervisor.launch(service)
    return url
