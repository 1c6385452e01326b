"""The connection to Redis."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect_redis(url: str) -> Redis:
    """Open a connection pool on ``redis://``, ``rediss://`` or ``unix://``.

    A Redis that is away must fail fast: a request in need of it has an answer without it. The one retry, at once,
    replaces a pooled connection that died when Redis was restarted.
    """
    return Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1))
