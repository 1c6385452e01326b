"""Where tokens are deposited: the control plane's Inventory. Every call blocks."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

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
        self._send("PUT", node, json={"api_token": api_token})

    def withdraw(self, node: str) -> None:
        """Take back the token of a node, if there is one. Raises as :meth:`deposit`."""
        try:
            self._send("DELETE", node)
        except Refused as error:
            if error.status != _MISSING:
                raise

    def _send(self, method: str, node: str, **more: Any) -> None:
        tries = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(max=5),
            retry=retry_if_exception_type(Unreachable),
            sleep=self._pause,
            reraise=True,
        )
        tries(self._once, method, node, **more)

    def _once(self, method: str, node: str, **more: Any) -> None:
        what = f"{'taking' if method == 'PUT' else 'giving back'} the token of node '{node}'"
        try:
            answer = self._http.request(method, f"/v1/inventory/nodes/{node}/credential", **more)
        except httpx.TransportError as error:
            reason = f"{type(error).__name__} {error}".strip()
            raise Unreachable(
                f"the control plane did not answer when {what}: {reason}; check SLIPWAY_INVENTORY_URL, run again"
            ) from None
        if answer.is_success:
            return
        if answer.status_code in {_UNAUTHORIZED, _FORBIDDEN}:
            raise Refused(
                f"the control plane refused {what}: check SLIPWAY_INVENTORY_TOKEN ({answer.status_code})",
                answer.status_code,
            )
        if answer.status_code >= _BROKEN:
            raise Unreachable(f"the control plane failed at {what} ({answer.status_code}); run again")
        raise Refused(f"the control plane refused {what} ({answer.status_code})", answer.status_code)


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
