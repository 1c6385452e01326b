"""Webhooks: endpoints, signed deliveries with retries, and a switch that holds or drops them.

Stripe promises neither order nor single delivery, and tests must see both broken on purpose: in mode ``hold``
events wait until :meth:`Deliveries.release` sends them in the order and number asked for; in mode ``drop``
they are lost, as in an outage longer than Stripe's retries.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Coroutine
from enum import StrEnum
from typing import Annotated, Any

import aiohttp
from localstripe.resources import store, try_convert_to_bool
from pydantic import BaseModel, ConfigDict, Field

from lab.stripe.objects import Resource, missing, refuse, refuse_unknown, text_map

API_VERSION = "2026-10-28.endive"
"""The account's API version, which an event carries unless its endpoint has one of its own."""

ATTEMPT_TIMEOUT = 10.0
"""Seconds that an endpoint has to answer."""


class Mode(StrEnum):
    """What becomes of new events."""

    DELIVER = "deliver"
    HOLD = "hold"
    DROP = "drop"


class Release(BaseModel):
    """How held events go out: ``order`` by creation or reversed, ``copies`` of each, one by one or at once."""

    model_config = ConfigDict(extra="forbid")

    order: Annotated[str, Field(pattern="^(created|reversed)$")] = "created"
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    simultaneous: bool = False


class WebhookEndpoint(Resource):
    """Where events go: ``POST /v1/webhook_endpoints``. All endpoints of the lab sign with one secret."""

    object = "webhook_endpoint"
    _id_prefix = "we_"
    _changeable = frozenset({"metadata", "url", "enabled_events", "description"})

    def __init__(
        self,
        url: str | None = None,
        enabled_events: list[str] | None = None,
        api_version: str | None = None,
        description: str | None = None,
        metadata: Any = None,
        **unknown: Any,
    ) -> None:
        refuse_unknown(unknown)
        if not url or not url.startswith(("http://", "https://")):
            raise refuse("url", "Invalid URL: An explicit scheme (such as https) must be provided.", "url_invalid")
        if not enabled_events:
            raise refuse("enabled_events", "Missing required param: enabled_events.", "parameter_missing")
        kept = text_map("metadata", metadata)
        super().__init__()
        self.api_version = api_version
        self.application = None
        self.description = description
        self.enabled_events = enabled_events
        self.metadata = kept
        self.status = "enabled"
        self.url = url

    def _update(self, **data: Any) -> None:
        if "disabled" in data:
            self.status = "disabled" if try_convert_to_bool(data.pop("disabled")) else "enabled"
        super()._update(**data)

    def _wants(self, kind: str) -> bool:
        return self.status == "enabled" and ("*" in self.enabled_events or kind in self.enabled_events)


def sign(payload: bytes, secret: str, timestamp: int) -> str:
    """The ``Stripe-Signature`` header: HMAC-SHA256 over ``timestamp.payload``."""
    digest = hmac.new(secret.encode(), b"%d." % timestamp + payload, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class Deliveries:
    """Sends events to the endpoints. Belongs to one event loop.

    Args:
        secret: signs every delivery.
        retry_pauses: seconds between the attempts for one event and endpoint.
    """

    def __init__(self, secret: str, retry_pauses: tuple[float, ...]) -> None:
        self.mode = Mode.DELIVER
        self.attempts: list[dict[str, Any]] = []
        self._secret = secret
        self._retry_pauses = retry_pauses
        self._held: list[Any] = []
        self._running: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Get ready to send. Call inside the event loop."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ATTEMPT_TIMEOUT))

    def reset(self) -> None:
        """Forget held events, attempts and what is on its way."""
        for task in self._running:
            task.cancel()
        self._held.clear()
        self.attempts.clear()
        self.mode = Mode.DELIVER

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def schedule(self, event: Any) -> None:
        """Take in a new event. This is the hook that localstripe calls for each one."""
        event.api_version = API_VERSION
        event.request = {"id": None, "idempotency_key": None}
        event.pending_webhooks = len(self._endpoints(event.type))
        if self.mode is Mode.HOLD:
            self._held.append(event)
        elif self.mode is Mode.DELIVER:
            for endpoint in self._endpoints(event.type):
                self._background(self._insist(event, endpoint))

    async def release(self, how: Release) -> list[dict[str, Any]]:
        """Send the held events, each attempt once, and return the attempts. Waits for all answers."""
        held, self._held = self._held, []
        return await self.send(held[::-1] if how.order == "reversed" else held, how)

    async def send(self, events: list[Any], how: Release) -> list[dict[str, Any]]:
        """Send these events to every endpoint that wants them, whatever the mode. No retries."""
        calls = [
            self._attempt(event, endpoint)
            for event in events
            for endpoint in self._endpoints(event.type)
            for _ in range(how.copies)
        ]
        if how.simultaneous:
            return list(await asyncio.gather(*calls))
        return [await call for call in calls]

    @staticmethod
    def event(number: str) -> Any:
        """One event, or Stripe's 404."""
        found = store.get(f"event:{number}")
        if found is None:
            raise missing("event", number)
        return found

    @staticmethod
    def _endpoints(kind: str) -> list[WebhookEndpoint]:
        endpoints = [item for key, item in store.items() if key.startswith("webhook_endpoint:")]
        return [item for item in endpoints if item._wants(kind)]

    def _background(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(call)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _insist(self, event: Any, endpoint: WebhookEndpoint) -> None:
        """Try until the endpoint answers 2xx or the pauses are used up."""
        for pause in (*self._retry_pauses, None):
            attempt = await self._attempt(event, endpoint)
            if attempt["delivered"]:
                event.pending_webhooks = max(0, event.pending_webhooks - 1)
                return
            if pause is not None:
                await asyncio.sleep(pause)

    async def _attempt(self, event: Any, endpoint: WebhookEndpoint) -> dict[str, Any]:
        """One signed POST; the answer's status, or 0 where there was none."""
        assert self._session is not None, "open() comes first"  # noqa: S101 - a mistake of ours, not of a client
        shown = event._export() | ({"api_version": endpoint.api_version} if endpoint.api_version else {})
        payload = json.dumps(shown, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(payload, self._secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        status = 0
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.post(endpoint.url, data=payload, headers=headers) as answer:
                status = answer.status
        attempt = {
            "event": event.id,
            "type": event.type,
            "endpoint": endpoint.id,
            "status": status,
            "delivered": 200 <= status < 300,  # noqa: PLR2004 - HTTP success
            "at": time.time(),
        }
        self.attempts.append(attempt)
        return attempt
