"""What stands before all routes: addresses that no machine of ours asks for, and who asks too often."""

import re

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import NotFound, RateLimited, SlipwayError
from api.limits import client_address
from api.problems import answer

_log = structlog.get_logger(__name__)

_SANE = re.compile(rb"/[A-Za-z0-9._/+-]{0,400}")
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{24,}")
_SHOWN = 120


class Guard:
    """Refuses odd addresses and crowds, before anything is looked up."""

    def __init__(self, app: ASGIApp, *, requests_per_minute: int) -> None:
        self._app = app
        self._limit = RateLimitItemPerMinute(requests_per_minute)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own signature
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await answer(Request(scope), refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> SlipwayError | None:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        if not is_sane(raw) or scope.get("query_string"):
            _log.warning("odd address", client=client_address(Request(scope)), path=shown(raw), length=len(raw))
            return NotFound("there is nothing at this address")
        if not self._limiter.hit(self._limit, client_address(Request(scope))):
            return RateLimited(f"at most {self._limit.amount} requests a minute", retry_after_seconds=10)
        return None


def is_sane(raw_path: bytes) -> bool:
    """Tell whether an address, as it came, can be one of ours: no way up, nothing encoded, not absolute, not huge."""
    return bool(_SANE.fullmatch(raw_path)) and b".." not in raw_path and b"//" not in raw_path


def shown(raw_path: bytes) -> str:
    """Return the beginning of an address for the log; what could be a token is left out."""
    return _LONG_WORD.sub("…", raw_path[:_SHOWN].decode("ascii", "backslashreplace"))
