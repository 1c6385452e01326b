"""The machine API with one machine, in memory, and what the machine does once it is booted.

What the real API does too is in ``tests/contracts/test_machine_api.py``. The machine takes one step each time its
deployment is looked at, so nothing here waits for anything.
"""

import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from components.specs.machine import MACHINE_MOVES, BootProfile, DeploymentKind, DeploymentPhase, MachineState
from pxe.power.fake import FakeMachine
from pxe.power.interfaces import BootSource, PowerState

GRANT = "grant-of-this-test-only-0123456789"
MOST_BOOTS = 3
_P, _K, _S = DeploymentPhase, DeploymentKind, MachineState
WAYS: Mapping[DeploymentKind, tuple[DeploymentPhase, ...]] = MappingProxyType(
    {
        _K.INSTALL: (_P.SCRIPT, _P.INSPECT, _P.WRITE, _P.VERIFY, _P.CONFIGURE, _P.REBOOT),
        _K.WIPE: (_P.SCRIPT, _P.INSPECT, _P.WRITE, _P.VERIFY, _P.REBOOT),
        _K.RESCUE: (_P.SCRIPT, _P.INSPECT, _P.CONFIGURE, _P.FIRST_BOOT),
    }
)
_MAKES = {_K.INSTALL: _S.DEPLOYING, _K.WIPE: _S.CLEANING, _K.RESCUE: _S.RESCUE}
_HELD = {_S.RESERVED, _S.DEPLOYING, _S.ACTIVE, _S.RESCUE}
_WRITTEN_IN = {_S.DEPLOYING, _S.ACTIVE, _S.RESCUE, _S.QUARANTINE, _S.ENROLL}
_UNSHOWN = {None, _P.POWER, _P.SCRIPT, _P.DONE}
_NO_CONTENT, _CONFLICT, _UNPROCESSABLE = 204, 409, 422

Answer = tuple[int, dict[str, Any] | None]


class Refused(Exception):  # noqa: N818 - what it is
    """A problem document."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.answer: Answer = (status, {"code": code, "detail": detail, "status": status})
        super().__init__(detail)


@dataclass
class FakeDeployment:
    """A deployment's row."""

    kind: DeploymentKind
    key: str
    profile: BootProfile | None = None
    id: UUID = field(default_factory=uuid.uuid4)
    status: str = "open"
    phase: DeploymentPhase | None = None
    boots: int = 0
    error: tuple[str | None, str | None] = (None, None)
    is_cancel_requested: bool = False
    told: list[DeploymentPhase] = field(default_factory=list)
    silent_seconds: float | None = None

    def become(self, phase: DeploymentPhase) -> None:
        """Note how far it is."""
        self.phase, self.silent_seconds = phase, None
        self.told.append(phase)

    def document(self) -> dict[str, Any]:
        """As the API answers it."""
        return {
            "id": str(self.id),
            "kind": self.kind.value,
            "status": self.status,
            "phase": None if self.phase is None else self.phase.value,
            "boots": self.boots,
            "error_code": self.error[0],
            "error_detail": self.error[1],
            "is_cancel_requested": self.is_cancel_requested,
            "phase_seconds": {phase.value: 1.5 for phase in self.told},
            "silent_seconds": self.silent_seconds,
        }


class FakeMachineApi:
    """The API and the machine, which was ordered and paid. Thread-safe.

    Attributes:
        iron: the machine's power and BMC.
        owner: the workload that the grant is for.
        workload_id: whose the machine is.
        at: what happens once, as soon as the machine has told a phase.
        stuck_at: a phase that the machine never leaves.
        asked: ``METHOD path`` of every request.
        deployments: oldest first.
    """

    def __init__(self, iron: FakeMachine, machine_id: UUID, owner: UUID, boot_mac: str) -> None:
        self.iron, self.machine_id, self.owner, self.boot_mac, self.serial = (
            iron,
            machine_id,
            owner,
            boot_mac,
            iron.serial,
        )
        self.workload_id: UUID | None = owner
        self.state = _S.RESERVED
        self.is_written = False
        self.profile: BootProfile | None = None
        self.installed: dict[str, str] | None = None
        self.deployments: list[FakeDeployment] = []
        self.at: dict[DeploymentPhase, Callable[[FakeDeployment], None]] = {}
        self.stuck_at: DeploymentPhase | None = None
        self.asked: list[str] = []
        self._runs = ""
        self._lock = threading.RLock()
        self._power: deque[tuple[PowerState, BootSource | None]] = deque()
        iron.on_power = lambda state, source: self._power.append((state, source))

    def answer(self, method: str, path: str, token: str, body: Any) -> Answer:
        """Answer one request; ``path`` is what follows ``/v1/metal``."""
        with self._lock:
            self.asked.append(f"{method} {path}")
            self._catch_up()
            if token != GRANT:
                return Refused(401, "unauthenticated", "this grant is not, or no longer, good").answer
            try:
                return self._route(method, path.strip("/").split("/"), body or {})
            except Refused as refusal:
                return refusal.answer

    @property
    def open_deployment(self) -> FakeDeployment | None:
        """The one that is open."""
        return next((one for one in self.deployments if one.status == "open"), None)

    def _route(self, method: str, parts: list[str], body: dict[str, Any]) -> Answer:
        simple: dict[tuple[str, str], Callable[[dict[str, Any]], Answer]] = {
            ("GET", "machine"): lambda _: (200, self._machine()),
            ("PUT", "claim"): self._claim,
            ("DELETE", "claim"): self._release,
            ("PUT", "profile"): self._put_profile,
            ("DELETE", "profile"): self._delete_profile,
            ("POST", "deployments"): self._open,
            ("POST", "rescue/leave"): self._leave_rescue,
        }
        serve = simple.get((method, "/".join(parts)))
        if serve is not None:
            return serve(body)
        found = [one for one in self.deployments if len(parts) > 1 and str(one.id) == parts[1]]
        if parts[0] != "deployments" or not found:
            raise Refused(404, "not_found", "there is no such thing")
        return self._of_deployment(found[0], method, parts[2:], body)

    def _of_deployment(self, deployment: FakeDeployment, method: str, parts: list[str], body: dict[str, Any]) -> Answer:
        if (method, parts) == ("GET", []):
            self._step(deployment)
            return 200, deployment.document()
        self._check_held()
        if (method, parts) == ("POST", ["fail"]):
            if deployment.status == "open":
                self.end(deployment, "failed", body["code"], body["detail"])
        elif (method, parts) == ("POST", ["phase"]):
            self._tell(deployment, DeploymentPhase(body["phase"]))
        return 200, deployment.document()

    def _machine(self) -> dict[str, Any]:
        deployment = self.open_deployment
        return {
            "machine_id": str(self.machine_id),
            "name": "dl-1",
            "state": self.state.value,
            "serial": self.serial,
            "boot_mac": self.boot_mac,
            "workload_id": None if self.workload_id is None else str(self.workload_id),
            "installed": self.installed,
            "profile_digest": None if self.profile is None else self.profile.digest,
            "deployment": None if deployment is None else deployment.document(),
            "wiped_since_use": not self.is_written,
        }

    def _claim(self, body: dict[str, Any]) -> Answer:
        if (body["machine_id"], body["serial"]) != (str(self.machine_id), self.serial):
            raise Refused(_CONFLICT, "wrong_machine", "the grant is for another machine")
        self._check_held()
        self._check_usable()
        return _NO_CONTENT, None

    def _release(self, _body: dict[str, Any]) -> Answer:
        if self.workload_id != self.owner:
            return _NO_CONTENT, None
        if self.open_deployment is not None:
            raise Refused(_CONFLICT, "conflict", "machine 'dl-1' is being booted: end that first")
        if self.state not in {_S.RESERVED, _S.CLEANING} or self.is_written:
            raise Refused(_CONFLICT, "not_wiped", "machine 'dl-1' was last wiped never")
        self._move(_S.AVAILABLE)
        self.workload_id = self.profile = self.installed = None
        return _NO_CONTENT, None

    def _put_profile(self, body: dict[str, Any]) -> Answer:
        self._check_held()
        self._check_usable()
        try:
            self.profile = BootProfile.model_validate(body)
        except ValidationError as error:
            raise Refused(_UNPROCESSABLE, "invalid_request", str(error)) from None
        return 200, {"profile_digest": self.profile.digest}

    def _delete_profile(self, _body: dict[str, Any]) -> Answer:
        if self.workload_id == self.owner:
            self.profile = None
        return _NO_CONTENT, None

    def _open(self, body: dict[str, Any]) -> Answer:
        kind, key = DeploymentKind(body["kind"]), body["key"]
        if kind not in _MAKES:
            raise Refused(_UNPROCESSABLE, "invalid_input", "'kind': an operation installs, wipes or rescues a machine")
        self._check_held()
        known = next((one for one in self.deployments if one.key == key), None)
        if known is not None and known.kind is not kind:
            raise Refused(_CONFLICT, "conflict", f"'key': this one is of a deployment of the kind '{known.kind}'")
        return 200, (known or self._begin(kind, key)).document()

    def _begin(self, kind: DeploymentKind, key: str) -> FakeDeployment:
        if kind is _K.INSTALL and self.profile is None:
            raise Refused(_CONFLICT, "conflict", "machine 'dl-1' has no profile: there is nothing to install")
        self._move(_MAKES[kind])
        self._abort(f"the machine is needed for '{kind}'")
        if kind is not _K.RESCUE:
            self.installed = None
        self.deployments.append(FakeDeployment(kind, key, None if kind is _K.WIPE else self.profile))
        return self.deployments[-1]

    def _tell(self, deployment: FakeDeployment, phase: DeploymentPhase) -> None:
        if phase not in {_P.POWER, _P.DONE}:
            raise Refused(_UNPROCESSABLE, "invalid_input", "'phase': the control plane tells 'power' and 'done'")
        if (deployment.status, phase) == ("succeeded", _P.DONE):
            return
        if deployment.status != "open":
            raise Refused(410, "deployment_over", "this deployment is over")
        if phase is _P.DONE and deployment.phase in _UNSHOWN:
            raise Refused(_CONFLICT, "conflict", "machine 'dl-1' has not shown itself for this deployment")
        if phase is _P.DONE and deployment.kind is _K.WIPE and self.is_written:
            raise Refused(_CONFLICT, "not_wiped", "machine 'dl-1' has sent no report that proves it")
        deployment.become(phase)
        if phase is _P.DONE:
            self.end(deployment, "succeeded")

    def end(self, deployment: FakeDeployment, status: str, code: str | None = None, detail: str | None = None) -> None:
        """End a deployment, and put the machine where it belongs then."""
        deployment.status, deployment.error = status, (code, detail)
        if status == "succeeded" and deployment.kind is _K.INSTALL:
            assert deployment.profile is not None
            image = deployment.profile.image
            self.installed = {
                "image": image.name,
                "content_sha256": image.content_sha256,
                "profile_digest": deployment.profile.digest,
            }
            self._move(_S.ACTIVE)
        if status == "failed" and (deployment.kind is _K.WIPE or code == "wrong_machine"):
            self._move(_S.QUARANTINE)
        elif status == "failed" and deployment.kind is _K.RESCUE and self.state is _S.RESCUE:
            self._move(_S.ACTIVE)

    def _abort(self, reason: str) -> None:
        if self.open_deployment is not None:
            self.end(self.open_deployment, "aborted", "aborted", reason)

    def _move(self, state: MachineState) -> None:
        if state is self.state:
            return
        if state not in MACHINE_MOVES[self.state]:
            raise Refused(_CONFLICT, "illegal_transition", f"a machine that is '{self.state}' cannot become '{state}'")
        self.is_written = self.is_written or bool({self.state, state} & _WRITTEN_IN)
        self.state = state

    def _check_held(self) -> None:
        if self.workload_id != self.owner:
            raise Refused(_CONFLICT, "conflict", "machine 'dl-1' is not held for this workload any more")

    def _check_usable(self) -> None:
        if self.state not in _HELD:
            raise Refused(_CONFLICT, "conflict", f"machine 'dl-1' is '{self.state}' and cannot be used")

    def _leave_rescue(self, _body: dict[str, Any]) -> Answer:
        self._check_held()
        if self.state not in {_S.RESCUE, _S.ACTIVE}:
            raise Refused(_CONFLICT, "conflict", f"machine 'dl-1' is '{self.state}', not in its rescue system")
        if self.state is _S.RESCUE:
            self._abort("the rescue system is not wanted any more")
            self._move(_S.ACTIVE)
        return _NO_CONTENT, None

    def _catch_up(self) -> None:
        """Have the machine run whatever it was booted into since somebody last asked."""
        self.iron.settle()
        while self._power:
            state, source = self._power.popleft()
            deployment = self.open_deployment
            self._runs = ""
            if state is PowerState.ON and source is BootSource.DISK:
                self._runs = "disk"
            elif state is PowerState.ON and deployment is not None and deployment.boots < MOST_BOOTS:
                if deployment.phase is not _P.REBOOT:
                    deployment.boots += 1
                    self._told(deployment, _P.SCRIPT)
                    self._runs = "initrd"
                else:
                    self._runs = "disk"  # what it was booted for is done: the boot service sends it there

    def _step(self, deployment: FakeDeployment) -> None:
        """Take the machine's next step in its deployment."""
        if deployment.status != "open" or deployment.phase is self.stuck_at is not None:
            return
        if self._runs == "initrd" and deployment.phase in WAYS[deployment.kind][:-1]:
            way = WAYS[deployment.kind]
            self._told(deployment, way[way.index(deployment.phase) + 1])
            if deployment.phase is _P.REBOOT and deployment.status == "open":
                self._leave_initrd(deployment)
        elif self._runs == "disk" and deployment.phase is _P.REBOOT:
            self._told(deployment, _P.FIRST_BOOT)

    def _leave_initrd(self, deployment: FakeDeployment) -> None:
        if deployment.kind is _K.WIPE:
            self.is_written = False
            deployment.become(_P.DONE)  # by its report
            self.end(deployment, "succeeded")
            self.iron.power_off_itself()
        else:
            self.iron.reboot_itself()
        self._catch_up()

    def _told(self, deployment: FakeDeployment, phase: DeploymentPhase) -> None:
        deployment.become(phase)
        happens = self.at.pop(phase, None)
        if happens is not None:
            happens(deployment)
            self._catch_up()
