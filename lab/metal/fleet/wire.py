"""The network of a fleet: HTTP to the API and the boot service by few connections, counted."""

import threading
from contextlib import suppress

import httpx

_TIMEOUT = 30.0
_MOST = 200


class Cable(httpx.BaseTransport):
    """Connections that are shared by everybody, and stay when one of them is done. Thread-safe.

    Attributes:
        requests: how many were sent.
    """

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport(limits=httpx.Limits(max_connections=_MOST, max_keepalive_connections=_MOST))
        self._lock = threading.Lock()
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        with self._lock:
            self.requests += 1
        return self._inner.handle_request(request)

    def client(self, base_url: str, token: str = "") -> httpx.Client:
        """Return a client on these connections; closing it closes none of them."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=base_url, transport=self, headers=headers, timeout=_TIMEOUT, trust_env=False)

    def unplug(self) -> None:
        """Close all connections."""
        with suppress(httpx.HTTPError):
            self._inner.close()


class Board:
    """Where one machine may find a token that was given to another: nobody should, and it does no harm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}

    def note(self, machine: str, token: str) -> None:
        """Keep the newest token of a machine."""
        with self._lock:
            self._tokens[machine] = token

    def of_another(self, machine: str) -> str:
        """Return the token that another machine was given last; a made-up one if there is none."""
        with self._lock:
            others = [token for name, token in self._tokens.items() if name != machine]
        return others[-1] if others else "made-up-token-of-nobody"
