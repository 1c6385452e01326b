"""The boot service's side of docs/bare-metal.md, for one deployment at a time, in memory; with faults of the image."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from api.machines.netboot.scripts import BootFromDisk
from components.specs.machine import DeploymentPhase, MachineImage
from pxe.boot.ipxe import render_local


@dataclass
class FakeDeployment:
    """What a machine is booted for, and all that it said.

    Attributes:
        plan: lines of the plan beside kind, session and serial.
        files: what ``files/NAME`` answers.
        content_error: a reason to answer 422 to a report.
        over_at: the phase whose telling is answered with 410.
    """

    kind: str
    serial: str
    plan: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    over_at: str = ""
    token: str = "token-of-this-boot"
    session: str = "session-of-this-boot"
    callback: str = "callback-of-this-boot"
    token_spent: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    phases: list[tuple[str, str, float]] = field(default_factory=list)
    failure: dict[str, str] = field(default_factory=dict)
    report: bytes = b""
    report_is_signed: bool = False
    running: dict[str, str] = field(default_factory=dict)
    refused: int = 0

    def document(self) -> dict[str, Any]:
        """The report as it was handed in."""
        parsed: dict[str, Any] = json.loads(self.report)
        return parsed


class FakeBootService:
    """Serves machines until closed; use ``deploy`` and then ``wait``.

    Attributes:
        base_url: what machines know it by.
        cut_after: images end after so many bytes.
        bytes_a_second: how fast images are served, if not as fast as can be.
        scripts: MACs for which a script was asked, in order.
    """

    def __init__(self, address: str, kernel: Path, initrd: Path) -> None:
        self.files = {"/boot/kernel": kernel, "/boot/initrd": initrd}
        self.deployment: FakeDeployment | None = None
        self.cut_after = 0
        self.bytes_a_second = 0
        self.scripts: list[str] = []
        self.images_served = 0
        self._changed = threading.Condition()
        self.http = ThreadingHTTPServer((address, 0), partial(_Handler, self))
        self.base_url = f"http://{address}:{self.http.server_address[1]}"

    def serve_image(self, path: Path, image: MachineImage) -> dict[str, str]:
        """Serve a file as an image; returns the plan's lines about it."""
        self.files[f"/images/{image.sha256}"] = path
        return {
            "image": f"{self.base_url}/images/{image.sha256}",
            "image_sha256": image.sha256,
            "image_content_sha256": image.content_sha256,
            "image_size": str(image.size_bytes),
            "image_compression": str(image.compression),
        }

    def deploy(self, deployment: FakeDeployment) -> FakeDeployment:
        """From now on, this is what a machine that boots gets."""
        deployment.files.setdefault("callback", f"{self.base_url}/deployments/1/running\n{deployment.callback}\n")
        self.deployment = deployment
        return deployment

    def wait(self, condition: Callable[[], object], seconds: float) -> None:
        """Block until something that a machine said makes the condition true.

        Raises:
            TimeoutError: it did not in time.
        """
        with self._changed:
            if not self._changed.wait_for(condition, seconds):
                heard = self.deployment and ([*self.deployment.phases], self.deployment.failure)
                raise TimeoutError(f"not within {seconds} s; heard: {heard}")

    def changed(self) -> None:
        """Wake whoever waits."""
        with self._changed:
            self._changed.notify_all()

    def script(self) -> str:
        """What iPXE gets for a machine: to boot its disk if there is no deployment, or the system is there."""
        deployment = self.deployment
        if deployment is None or any(phase == DeploymentPhase.REBOOT for phase, _, _ in deployment.phases):
            return render_local(BootFromDisk("the system is on the disk"))
        words = (
            f"slipway.url={self.base_url} slipway.deployment=1 slipway.token={deployment.token} "
            f"slipway.mac=${{net0/mac:hexhyp}} console=ttyS0 no_timer_check loglevel=4"
        )
        boot = f"{self.base_url}/boot"
        return f"#!ipxe\nkernel {boot}/kernel {words} initrd=initrd\ninitrd {boot}/initrd\nboot\n"


@contextmanager
def fake_boot_service(address: str, kernel: Path, initrd: Path) -> Iterator[FakeBootService]:
    """Serve on a free port of the address until the block ends."""
    service = FakeBootService(address, kernel, initrd)
    thread = threading.Thread(target=service.http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        service.http.shutdown()
        thread.join()
        service.http.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, service: FakeBootService, *rest: Any) -> None:
        self.service = service
        super().__init__(*rest)

    def log_message(self, *_: object) -> None:
        """Say nothing: tests look at what the service noted."""

    def do_GET(self) -> None:
        if self.path.startswith("/ipxe/"):
            self.service.scripts.append(self.path.removeprefix("/ipxe/"))
            self._note("script", self.path)
            self._answer(200, self.service.script().encode())
        elif "/files/" in self.path:
            self._authorised(self._file)
        elif self.path in self.service.files:
            self._stream(self.service.files[self.path])
        else:
            self._answer(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what = self.path.rpartition("/")[2]
        if what == "checkin":
            self._check_in(body)
        elif what == "running":
            self._running(body)
        else:
            self._authorised(partial(getattr(self, f"_take_{what}"), body))
        self.service.changed()

    @property
    def _deployment(self) -> FakeDeployment:
        assert self.service.deployment is not None
        return self.service.deployment

    def _check_in(self, body: bytes) -> None:
        deployment = self._deployment
        if deployment.token_spent or not self._bears(deployment.token):
            deployment.refused += 1
            self._answer(403)
            return
        deployment.token_spent = True
        deployment.facts = json.loads(body)
        lines = {"kind": deployment.kind, "session": deployment.session, "serial": deployment.serial} | deployment.plan
        self._answer(200, "".join(f"{name}={value}\n" for name, value in lines.items()).encode())

    def _running(self, body: bytes) -> None:
        if not self._bears(self._deployment.callback) or self._deployment.running:
            self._answer(403)
            return
        self._deployment.running = _form(body)
        self._note("first_boot", "")
        self._answer(204)

    def _take_phases(self, body: bytes) -> None:
        told = _form(body)
        self._note(told["phase"], told.get("detail", ""))
        self._answer(410 if told["phase"] == self._deployment.over_at else 204)

    def _take_failure(self, body: bytes) -> None:
        self._deployment.failure = _form(body)
        self._answer(204)

    def _take_report(self, body: bytes) -> None:
        signature = hmac.digest(self._deployment.session.encode(), body, hashlib.sha256).hex()
        self._deployment.report = body
        self._deployment.report_is_signed = hmac.compare_digest(signature, self.headers.get("X-Signature", ""))
        self._answer(204 if self._deployment.report_is_signed else 422)

    def _file(self) -> None:
        content = self._deployment.files.get(self.path.rpartition("/")[2])
        self._answer(404 if content is None else 200, (content or "").encode())

    def _note(self, phase: str, detail: str) -> None:
        if self.service.deployment is not None:
            self.service.deployment.phases.append((phase, detail, time.monotonic()))
            self.service.changed()

    def _bears(self, token: str) -> bool:
        return self.headers.get("Authorization") == f"Bearer {token}"

    def _authorised(self, then: Callable[[], None]) -> None:
        if self._bears(self._deployment.session):
            then()
        else:
            self._answer(403)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, path: Path) -> None:
        """A file; an image may be slow or be cut off."""
        is_image = self.path.startswith("/images/")
        self.service.images_served += is_image
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if is_image and self.service.cut_after:
            content = content[: self.service.cut_after]
        step = self.service.bytes_a_second // 10 if is_image and self.service.bytes_a_second else len(content)
        try:
            for start in range(0, len(content), step or 1):
                self.wfile.write(content[start : start + step])
                if step < len(content):
                    time.sleep(0.1)
        except ConnectionError:
            return


def _form(body: bytes) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
