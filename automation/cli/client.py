"""The HTTP API as the customer's verbs use it."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import httpx
from httpx_sse import EventSource, SSEError

from automation.cli.credentials import Credentials, CredentialStore
from automation.cli.errors import ApiError, CliError

Json = dict[str, Any]
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_STREAM_TIMEOUT = httpx.Timeout(30.0, connect=5.0, read=60.0)
"""A live stream may be silent for as long as a step of the engine takes; a dead one is resumed."""
_RECONNECTS = 5
_RECONNECT_SECONDS = 1.0
_TRIES = 4


class ApiClient:
    """One caller's connection to the API; every failure is a :class:`CliError`. A context manager."""

    def __init__(
        self,
        credentials: Credentials,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open a connection pool; nothing is sent yet.

        Args:
            credentials: where, and as whom.
            transport: how requests are sent; httpx' own by default.
            pause: waits some seconds before something is tried again.
        """
        self._pause = pause
        headers = {"User-Agent": "slipway-cli"}
        if credentials.token:
            headers["Authorization"] = f"Bearer {credentials.token}"
        self.url = credentials.api_url
        try:
            self._http = httpx.Client(base_url=f"{self.url}/v1", headers=headers, timeout=_TIMEOUT, transport=transport)
        except httpx.InvalidURL as error:
            raise CliError(f"SLIPWAY_API_URL: {self.url} is not an address ({error})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int) -> Any:
        """Fetch a document."""
        return self._answer(self._send("GET", path, params=query))

    def post(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a document and return the answer's, None where it has none."""
        return self._answer(self._send("POST", path, json=body, headers=headers))

    def put(self, path: str, body: object) -> Any:
        """Put a document in its place and return the answer's, None where it has none."""
        return self._answer(self._send("PUT", path, json=body))

    def delete(self, path: str) -> None:
        """Delete something."""
        self._answer(self._send("DELETE", path))

    def post_until_answered(self, path: str, body: object, idempotency_key: str) -> Any:
        """Send a document again, under the same key, while nobody knows whether it arrived or the API asks for it.

        Raises:
            CliError: as after any request, if the last try fails too.
        """
        for attempt in range(1, _TRIES):
            try:
                return self.post(path, body, {"Idempotency-Key": idempotency_key})
            except ApiError as error:
                if not error.retryable or error.status < 500:  # noqa: PLR2004 - HTTP's server errors
                    raise
            except UnreachableError:
                pass
            self._pause(attempt)
        return self.post(path, body, {"Idempotency-Key": idempotency_key})

    def pages(self, path: str, **query: str | int) -> Iterator[Json]:
        """Fetch every item of a paged list, newest first."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=100, **query, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def events(self, operation_id: str, *, follow: bool) -> Iterator[tuple[str, Json]]:
        """Yield an operation's events; see ``log``."""
        yield from self.log(f"/operations/{operation_id}/events", follow=follow)

    def log(self, path: str, *, follow: bool) -> Iterator[tuple[str, Json]]:
        """Yield a log's ``line`` events and, once what it is about has ended, one ``end``.

        A stream that breaks is resumed after the last line seen.
        """
        last_id, failures = "0", 0
        while True:
            try:
                with self._stream(path, last_id, follow=follow) as source:
                    for event in source.iter_sse():
                        if event.event not in {"line", "end"}:
                            continue  # kept alive, or something newer than this program
                        last_id, failures = event.id or last_id, 0
                        yield event.event, json.loads(event.data)
                        if event.event == "end":
                            return
                if not follow:
                    return
            except (httpx.TransportError, SSEError) as error:
                failures += 1
                if failures > _RECONNECTS:
                    raise UnreachableError(self.url, error) from error
            self._pause(_RECONNECT_SECONDS)

    @contextmanager
    def _stream(self, path: str, last_id: str, *, follow: bool) -> Iterator[EventSource]:
        with self._http.stream(
            "GET",
            path,
            params={"follow": follow},
            headers={"Accept": "text/event-stream", "Last-Event-ID": last_id},
            timeout=_STREAM_TIMEOUT,
        ) as response:
            if response.is_error:
                response.read()
                self._answer(response)
            yield EventSource(response)

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise UnreachableError(self.url, error) from error

    def _answer(self, response: httpx.Response) -> Any:
        if response.is_success:
            return response.json() if response.content else None
        try:
            problem = response.json()
        except ValueError:
            problem = None
        error = ApiError(response.status_code, problem if isinstance(problem, dict) else {})
        if error.code == "unauthenticated" and "Authorization" not in self._http.headers:
            raise CliError("you are not logged in: run `slipway login`, or set SLIPWAY_TOKEN") from error
        raise error


class UnreachableError(CliError):
    """Nothing answers at the API's address, or the connection broke."""

    def __init__(self, url: str, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        super().__init__(
            f"no answer from the API at {url} ({reason}): is it running (`slipway up`)? SLIPWAY_API_URL names another"
        )


def connect() -> ApiClient:
    """Connect as the environment or the stored login says."""
    return ApiClient(CredentialStore().load())
