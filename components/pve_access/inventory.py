"""Where tokens are deposited: the control plane's Inventory. Every call blocks."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import httpx

from components.api_calls import ApiAway, ApiRefusal, send
from components.pve_access.errors import AccessError, Refused, Unreachable
from components.pve_access.settings import InventorySettings

TIMEOUT = 30.0
"""Seconds for one request."""
TRIES = 3
"""A deposit says the same however often it is made, so one without an answer is made again."""
_UNAUTHORIZED, _FORBIDDEN, _MISSING, _BROKEN = 401, 403, 404, 500


class Inventory:
    """The control plane, as far as credentials of nodes go; a context manager that closes the connection.

    Args:
        http: with the address and the token.
        pause: waits so many seconds.
    """

    def __init__(self, http: httpx.Client, pause: Callable[[float], None] = time.sleep) -> None:
        self._http, self._pause = http, pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._http.close()

    def deposit(self, node: str, api_token: str) -> None:
        """Leave the token of a node, in place of an earlier one.

        Raises:
            Refused: it was not taken.
            Unreachable: it may have been.
        """
        self._send("PUT", node, {"api_token": api_token})

    def withdraw(self, node: str) -> None:
        """Take back the token of a node, if there is one. Raises as :meth:`deposit`."""
        try:
            self._send("DELETE", node)
        except Refused as error:
            if error.status != _MISSING:
                raise

    def _send(self, method: str, node: str, body: Mapping[str, str] | None = None) -> None:
        what = f"{'taking' if method == 'PUT' else 'giving back'} the token of node '{node}'"
        path = f"/v1/inventory/nodes/{node}/credential"
        try:
            send(self._http, method, path, body, pause=self._pause, tries=TRIES)
        except ApiAway as error:
            if error.status is not None:
                raise _broken(what, error.status) from None
            raise Unreachable(
                f"the control plane did not answer when {what}: {error}; check SLIPWAY_INVENTORY_URL, run again"
            ) from None
        except ApiRefusal as error:
            if error.status >= _BROKEN:
                raise _broken(what, error.status) from None
            hint = ": check SLIPWAY_INVENTORY_TOKEN" if error.status in {_UNAUTHORIZED, _FORBIDDEN} else ""
            raise Refused(f"the control plane refused {what}{hint} ({error.status})", error.status) from None


def _broken(what: str, status: int) -> Unreachable:
    return Unreachable(f"the control plane failed at {what} ({status}); run again")


def inventory(settings: InventorySettings) -> Inventory:
    """Return the control plane that the settings name. Sends nothing.

    Raises:
        AccessError: the address cannot be one.
    """
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    try:
        return Inventory(httpx.Client(base_url=settings.url, headers=headers, timeout=TIMEOUT))
    except httpx.InvalidURL as error:
        raise AccessError(f"SLIPWAY_INVENTORY_URL is no address: {error}") from None
