"""Whether PostgreSQL and Redis answer, and whether a database is there; needs no embedded server installed."""

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

_PROBE_SECONDS = 2


def postgres_answers(url: str) -> bool:
    """Tell whether a PostgreSQL server takes connections; blocks for 2 s at most."""
    try:
        psycopg.connect(plain_url(url), connect_timeout=_PROBE_SECONDS).close()
    except psycopg.Error:
        return False
    return True


def redis_answers(url: str) -> bool:
    """Tell whether a Redis server serves; blocks for 2 s at most."""
    options = {"socket_timeout": _PROBE_SECONDS, "socket_connect_timeout": _PROBE_SECONDS}
    try:
        with Redis.from_url(url, retry=Retry(NoBackoff(), 0), **options) as redis:
            return bool(redis.ping())
    except (RedisError, ValueError):  # ValueError: this is no address at all
        return False


def plain_url(url: str) -> str:
    """Take SQLAlchemy's driver out of an address: libpq knows ``postgresql://`` only."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def ensure_database(url: str) -> None:
    """Create the database that an address names, unless it exists.

    Raises:
        psycopg.Error: if the server cannot be reached, or its user may not create databases.
    """
    try:
        psycopg.connect(plain_url(url), connect_timeout=_PROBE_SECONDS).close()
    except psycopg.OperationalError as error:  # libpq does not tell in which way it failed
        _create_database(url, error)


def _create_database(url: str, reason: psycopg.OperationalError) -> None:
    parts = conninfo_to_dict(plain_url(url))
    name = str(parts["dbname"])
    server = make_conninfo(plain_url(url), dbname="postgres", connect_timeout=_PROBE_SECONDS)
    try:
        connection = psycopg.connect(server, autocommit=True)
    except psycopg.OperationalError:
        raise reason from None
    with connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            raise reason
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
