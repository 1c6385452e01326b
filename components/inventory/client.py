"""Inventory, by the API. Every call blocks; everything it sends may be sent twice."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

from components.api_calls import ApiAway, ApiRefusal, send
from components.inventory.errors import InventoryRefused, InventoryUnreachable

TIMEOUT = 60.0
"""Seconds for one request: two reports at once wait for each other."""

Json = dict[str, Any]


class Inventory:
    """What the API is told and asked. A context manager, which closes ``http``.

    Args:
        http: with the API's address, up to ``/v1``, and a token of the scope ``inventory:sync``.
        pause: waits so many seconds.
    """

    def __init__(self, http: httpx.Client, pause: Callable[[float], None] = time.sleep) -> None:
        self._http, self._pause = http, pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def put_stack(self, report: Mapping[str, Any]) -> Json:
        """Report; returns ``digest`` and ``changes``.

        Raises:
            InventoryRefused: with the list of workloads, if customers are on what the report lacks.
            InventoryUnreachable: if there is no answer.
        """
        return self._answered("PUT", f"/inventory/stacks/{report['stack']}", dict(report))

    def try_stack(self, report: Mapping[str, Any]) -> Json:
        """Ask what a report would change. Raises as ``put_stack`` does."""
        return self._answered("PUT", f"/inventory/stacks/{report['stack']}?dry_run=true", dict(report))

    def stack(self, stack: str) -> Json | None:
        """Return what a stack ``told`` and what is ``held`` of it; None if it never reported, or was withdrawn."""
        return self._found("GET", f"/inventory/stacks/{stack}")

    def withdraw_stack(self, stack: str) -> None:
        """Withdraw all that a stack has reported; does nothing if there is nothing.

        Raises:
            InventoryRefused: with the list of workloads, if customers are on it.
            InventoryUnreachable: if there is no answer.
        """
        self._found("DELETE", f"/inventory/stacks/{stack}")

    def node(self, name: str) -> Json | None:
        """Return a node's state, and whether there is a credential for it; None if there is no such node."""
        return self._found("GET", f"/inventory/nodes/{name}")

    def _answered(self, method: str, path: str, body: Json) -> Json:
        document: Json = self._send(method, path, body).json()
        return document

    def _found(self, method: str, path: str) -> Json | None:
        try:
            answer = self._send(method, path)
        except InventoryRefused as error:
            if error.status == httpx.codes.NOT_FOUND and error.code == "not_found":
                return None
            raise
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        try:
            return send(self._http, method, path, body, pause=self._pause)
        except ApiAway as error:
            if error.status is not None:
                raise InventoryUnreachable(
                    f"the API at {self._http.base_url} answers {error.status}; run again later"
                ) from None
            raise InventoryUnreachable(
                f"the API at {self._http.base_url} did not answer ({error}): is SLIPWAY_INVENTORY_URL right, and is "
                "it running? Run again then"
            ) from None
        except ApiRefusal as error:
            raise InventoryRefused(error.status, error.problem) from None
