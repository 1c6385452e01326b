"""Rate limits, counted in Redis so that all API processes share them."""

import hashlib
import ipaddress
import math
import time
from typing import Annotated

import structlog
from fastapi import Depends, Request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter, SlidingWindowCounterRateLimiter
from redis import Redis
from redis.exceptions import RedisError

from api.errors import RateLimited

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 2.0
_IPV6_PREFIX = 64


class RateLimits:
    """Counts requests and logins over the last minute.

    Logins are counted exactly, by the time of each; requests, of which there are many, by two counters a caller.
    Without Redis, requests pass uncounted, because an outage of Redis must not become one of the API; logins are
    counted in this process, because guessing passwords must not become free.
    """

    def __init__(self, redis: Redis, *, requests_per_minute: int, logins_per_minute: int) -> None:
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool)
        self._requests = SlidingWindowCounterRateLimiter(storage)
        self._logins = MovingWindowRateLimiter(storage)
        self._own_logins = MovingWindowRateLimiter(MemoryStorage())
        self._request_limit = RateLimitItemPerMinute(requests_per_minute, namespace="requests")
        self._login_limit = RateLimitItemPerMinute(logins_per_minute, namespace="logins")
        self._away_until = 0.0

    def count_request(self, caller: str) -> None:
        """Count a request; may block for as long as Redis' timeout.

        Raises:
            RateLimited: if the caller has used the minute's share.
        """
        self._try(self._requests, self._request_limit, caller)

    def count_login(self, address: str, email: str) -> None:
        """Count an attempt to log in, against the address and against the account, before looking at the password.

        Raises:
            RateLimited: if either has used the minute's share.
        """
        # Redis need not know who our customers are.
        account = hashlib.sha256(email.encode()).hexdigest()
        for subject in (f"address:{address}", f"account:{account}"):
            if not self._try(self._logins, self._login_limit, subject):
                _hit(self._own_logins, self._login_limit, subject)

    def _try(self, limiter: RateLimiter, limit: RateLimitItem, subject: str) -> bool:
        """Count in Redis; False if it is away."""
        if time.monotonic() < self._away_until:
            return False
        try:
            _hit(limiter, limit, subject)
        except RedisError:
            # Asking again at once would add Redis' timeout to every request.
            self._away_until = time.monotonic() + _PAUSE_SECONDS
            _log.warning("rate limits not shared: Redis is away", exc_info=True)
            return False
        return True


def _hit(limiter: RateLimiter, limit: RateLimitItem, subject: str) -> None:
    if limiter.hit(limit, subject):
        return
    seconds = max(1, math.ceil(limiter.get_window_stats(limit, subject).reset_time - time.time()))
    raise RateLimited(
        f"at most {limit.amount} a minute: try again in {seconds} seconds",
        retry_after_seconds=seconds,
    )


def client_address(request: Request) -> str:
    """Return whom to count an anonymous request against: an IPv4 address, or the /64 that one IPv6 customer holds.

    Behind a proxy, uvicorn's ``--forwarded-allow-ips`` puts the customer's own address here.
    """
    host = request.client.host if request.client else "local"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address, _IPV6_PREFIX), strict=False))
    return host


async def get_limits(request: Request) -> RateLimits:
    """Return the rate limits that ``create_app`` made."""
    limits = request.app.state.limits
    if not isinstance(limits, RateLimits):
        raise TypeError("app.state.limits is not a RateLimits: build the app with create_app")
    return limits


LimitsDep = Annotated[RateLimits, Depends(get_limits)]
