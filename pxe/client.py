"""The machine API as the engine uses it (``docs/bare-metal.md``). Every call blocks; all of it may be sent twice."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx
from pydantic import ValidationError

from components.api_calls import ApiAway, ApiRefusal, send
from components.specs.machine import BootProfile, DeploymentKind, DeploymentPhase
from pxe.errors import ApiRefused, ApiUnreachable, GrantVoid, NotWiped
from pxe.views import DeploymentView, MachineView

TIMEOUT = 15.0
"""Seconds for one request: two operations on one machine's row wait for each other."""
OVER = frozenset({"deployment_over"})
_VOID = frozenset({401, 403})

Json = dict[str, Any]
View = TypeVar("View", DeploymentView, MachineView)


class MachineApi:
    """One machine, as far as one operation's grant goes. A context manager, which closes ``http``.

    Args:
        http: with the API's address, up to ``/v1/metal``, and the grant.
        pause: waits so many seconds.
    """

    def __init__(self, http: httpx.Client, pause: Callable[[float], None] = time.sleep) -> None:
        self._http, self._pause = http, pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def machine(self) -> MachineView | None:
        """Look at the machine; None if there is none for this grant's workload.

        Raises:
            MetalError: here and everywhere: ``GrantVoid``, ``ApiRefused``, or ``ApiUnreachable`` after half a minute.
        """
        try:
            return _read(MachineView, self._send("GET", "/machine"))
        except ApiRefused as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def claim(self, machine_id: UUID, serial: str) -> None:
        """Hold the machine for the workload; refused if it is somebody else's or another machine."""
        self._send("PUT", "/claim", {"machine_id": str(machine_id), "serial": serial})

    def release(self) -> None:
        """Give the machine back; does nothing if it is back.

        Raises:
            NotWiped: nothing proves that it is empty.
        """
        self._gone("DELETE", "/claim")

    def put_profile(self, profile: BootProfile) -> str:
        """Say what the next installation writes; returns its digest."""
        return str(self._send("PUT", "/profile", profile.model_dump(mode="json")).json()["profile_digest"])

    def delete_profile(self) -> None:
        """Have nothing to install any more."""
        self._gone("DELETE", "/profile")

    def open(self, kind: DeploymentKind, key: str) -> DeploymentView:
        """Open a deployment, or return the one with this key, open or not; another one that is open is aborted.

        Raises:
            ApiRefused: the machine is in no state for it, or there is nothing to install.
        """
        return _read(DeploymentView, self._send("POST", "/deployments", {"kind": kind.value, "key": key}))

    def deployment(self, deployment_id: UUID) -> DeploymentView:
        """Look at a deployment."""
        return _read(DeploymentView, self._send("GET", f"/deployments/{deployment_id}"))

    def tell(self, deployment_id: UUID, phase: DeploymentPhase, detail: str) -> None:
        """Tell one of the control plane's own phases: ``power`` or ``done``."""
        self._send("POST", f"/deployments/{deployment_id}/phase", {"phase": phase.value, "detail": detail})

    def fail(self, deployment_id: UUID, code: str, detail: str) -> None:
        """Give a deployment up; does nothing to one that is over."""
        try:
            self._send("POST", f"/deployments/{deployment_id}/fail", {"code": code, "detail": detail})
        except ApiRefused as error:
            if error.reason not in OVER:
                raise

    def leave_rescue(self) -> None:
        """Have the machine boot its own disks from now on; does nothing if it does."""
        self._send("POST", "/rescue/leave")

    def _gone(self, method: str, path: str) -> None:
        try:
            self._send(method, path)
        except ApiRefused as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise

    def _send(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        try:
            return send(self._http, method, path, body, pause=self._pause)
        except ApiAway as error:
            if error.status is not None:
                raise ApiUnreachable(f"the machine API at {self._http.base_url} answers {error.status}") from None
            raise ApiUnreachable(
                f"the machine API at {self._http.base_url} did not answer ({error}): is SLIPWAY_METAL_URL right, and "
                "is it running?"
            ) from None
        except ApiRefusal as error:
            raise _refusal(error.status, error.problem) from None


def _read(model: type[View], answer: httpx.Response) -> View:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ApiUnreachable(
            f"what answers at {answer.url} is not the machine API of this version ({problems})"
        ) from None


def _refusal(status: int, problem: Mapping[str, Any]) -> ApiRefused:
    reason = str(problem.get("code", f"http_{status}"))
    said = str(problem.get("detail") or problem.get("title") or f"it answered {status}")
    if status in _VOID:
        return GrantVoid(
            f"the machine API does not take the grant ({said}): the operation that it was made for is over, or "
            "SLIPWAY_METAL_GRANT is wrong",
            status,
            reason,
        )
    if reason == "not_wiped":
        return NotWiped(f"the machine cannot go back to the pool: {said}. Wipe it first", status, reason)
    return ApiRefused(f"the machine API refused: {said} ({reason})", status, reason)
