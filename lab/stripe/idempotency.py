"""``Idempotency-Key``: the same key gives the same answer, once (docs.stripe.com/api/idempotent_requests)."""

import hashlib
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from localstripe.errors import UserError

LONGEST_KEY = 255


@dataclass(frozen=True)
class _Kept:
    fingerprint: str
    status: int
    body: bytes


class IdempotencyKeys:
    """A middleware that remembers the answers to POST requests by key."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._busy: set[str] = set()

    def forget(self) -> None:
        """Forget every answer."""
        self._kept.clear()

    def middleware(self) -> Middleware:
        """The aiohttp middleware."""

        @web.middleware
        async def once(request: web.Request, handler: Handler) -> web.StreamResponse:
            key = request.headers.get("Idempotency-Key")
            if key is None or request.method != "POST":
                return await handler(request)
            return await self._once(key, request, handler)

        return once

    async def _once(self, key: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        if len(key) > LONGEST_KEY:
            raise UserError(400, "Idempotency-Key: at most 255 characters")
        text = f"{request.path}\n".encode() + await request.read()
        fingerprint = hashlib.sha256(text).hexdigest()
        kept = self._kept.get(key)
        if kept is not None:
            return _replay(key, kept, fingerprint)
        if key in self._busy:
            message = f"There is currently another in-progress request using this Idempotent Key ({key})."
            raise UserError(409, message, {"code": "idempotency_key_in_use"})
        self._busy.add(key)
        try:
            answer = await handler(request)
        finally:
            self._busy.discard(key)
        # Requests that failed validation have begun nothing and may be tried again with the same key.
        if isinstance(answer, web.Response) and (answer.status == 200 or answer.status >= 500):  # noqa: PLR2004 - HTTP
            body = answer.body if isinstance(answer.body, bytes) else b""
            self._kept[key] = _Kept(fingerprint, answer.status, body)
        return answer


def _replay(key: str, kept: _Kept, fingerprint: str) -> web.Response:
    if kept.fingerprint != fingerprint:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )
        error = {"error": {"type": "idempotency_error", "message": message}}
        return web.json_response(error, status=400)
    headers = {"Idempotent-Replayed": "true"}
    return web.Response(status=kept.status, body=kept.body, content_type="application/json", headers=headers)
