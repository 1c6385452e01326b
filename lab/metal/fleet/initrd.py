"""What runs on a machine of the fleet: firmware with iPXE, our initrd (``pxe/deployer/initrd``), an installed system.

The steps, retries and ends are those of the shell scripts; troubles come in between.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from components.specs.machine import DeploymentPhase
from lab.metal.fleet.disks import Disk, System
from lab.metal.fleet.iron import Boot, Iron, PowerGone
from lab.metal.fleet.troubles import TroubleKind
from lab.metal.fleet.wire import Board
from pxe.power.interfaces import BootSource

_P, _K = DeploymentPhase, TroubleKind
_TRIES = 10
_BROKEN = 500
_OVER = frozenset({401, 403, 404, 410})
_SAMPLES = 64


class GivenUp(Exception):  # noqa: N818 - what it did
    """The machine switches itself off."""


class Stuck(Exception):  # noqa: N818 - what it is
    """The machine stays on and does nothing more."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """Boots machines; ``boot_http`` is the boot service."""

    boot_http: httpx.Client
    board: Board

    def run(self, iron: Iron, boot: Boot) -> None:
        """Boot a machine, and run what it boots until that ends, waits, or the power goes."""
        try:
            if boot.source is BootSource.NETWORK:
                self._from_network(iron, boot)
            else:
                run_system(iron, boot, self.boot_http)
        except GivenUp:
            if not boot.is_over:
                iron.bmc.power_off_itself()
        except Stuck:
            pass

    def _from_network(self, iron: Iron, boot: Boot) -> None:
        if iron.goes_wrong(_K.SILENT):
            raise Stuck
        script = self.boot_http.get(f"/ipxe/{iron.label.mac.replace(':', '-')}").raise_for_status().text
        found = re.search(r"slipway\.deployment=(\S+) slipway\.token=(\S+)", script)
        if found is None:
            run_system(iron, boot, self.boot_http)
            return
        self.board.note(iron.label.name, found[2])
        for name in ("kernel", "initrd"):
            self.boot_http.get(f"/boot/{name}").raise_for_status()
        Initrd(iron, boot, self.boot_http, UUID(found[1])).run(found[2], self.board)


def run_system(iron: Iron, boot: Boot, http: httpx.Client) -> None:
    """Run what is on the disks: it calls back once, and stays. A machine without anything waits for a key."""
    system = next((disk.system for disk in iron.disks if disk.system is not None), None)
    if system is None:
        return
    _happen(iron, boot, _P.FIRST_BOOT)
    if iron.goes_wrong(_K.CALLBACK_LOST):
        return
    headers = {"Authorization": f"Bearer {system.callback_token}"}
    for _ in range(_TRIES):
        answer = http.post(system.callback_path, data={"hostname": system.hostname}, headers=headers)
        if answer.status_code < _BROKEN and not iron.goes_wrong(_K.ANSWERS_LOST):
            return


def _happen(iron: Iron, boot: Boot, phase: DeploymentPhase) -> None:
    """Have happen what was to go wrong in a phase."""
    if boot.is_over:
        raise PowerGone
    if iron.goes_wrong(_K.POWER_CUT, phase):
        iron.bmc.cut_power()
        raise PowerGone
    if iron.goes_wrong(_K.HANG, phase):
        raise Stuck


@dataclass
class Initrd:
    """One boot of our initrd."""

    iron: Iron
    boot: Boot
    http: httpx.Client
    deployment_id: UUID
    plan: dict[str, str] = field(default_factory=dict)

    def run(self, token: str, board: Board) -> None:
        """Do what the boot service wants done.

        Raises:
            GivenUp: in the end, unless the machine starts anew.
            PowerGone: the power was cut, or the machine was started anew.
            Stuck: it does nothing more.
        """
        _happen(self.iron, self.boot, _P.SCRIPT)
        self._check_in(token, board)
        if self.plan["serial"] != self._serial():
            self._fail("inspect", "wrong_serial", "the plan is another machine's")
        self._phase(_P.INSPECT)
        if self.plan["kind"] == "install":
            self._install()
        else:
            self._wipe()
        self._phase(_P.REBOOT)
        if self.plan["after"] == "reboot":
            if not self.boot.is_over:
                self.iron.bmc.reboot_itself()
            raise PowerGone
        raise GivenUp

    def _serial(self) -> str:
        trouble = self.iron.goes_wrong(_K.WRONG_SERIAL)
        return f"SWAPPED-{self.iron.label.serial}" if trouble else self.iron.label.serial

    def _check_in(self, token: str, board: Board) -> None:
        disks = self.iron.disks[:1] if self.iron.goes_wrong(_K.WIPE_DISK_GONE) else self.iron.disks
        facts = self.iron.facts(serial=self._serial(), disks=disks)
        if self.iron.goes_wrong(_K.TOKEN_FOREIGN):
            token = board.of_another(self.iron.label.name)
        if self.iron.goes_wrong(_K.TOKEN_REUSED):
            self._send("checkin", token, json=facts)
        answer = self._persistent("checkin", token, json=facts)
        if answer is None or not answer.is_success:
            raise GivenUp
        self.plan = dict(line.split("=", 1) for line in answer.text.splitlines())

    def _install(self) -> None:
        disks = [disk for disk in self.iron.disks if disk.name in self.plan["disks"].split(",")]
        self._phase(_P.WRITE, lambda: self._write(disks, _put(f"half an image of {self.deployment_id}", None)))
        image = self.http.get(urlsplit(self.plan["image"]).path).raise_for_status().content
        if self.iron.goes_wrong(_K.IMAGE_CHECKSUM):
            image = b"damaged" + image
        self._write(disks, _put(f"an image of {self.deployment_id}", None))
        if hashlib.sha256(image).hexdigest() != self.plan["image_sha256"]:
            self._fail("write", "image_checksum", "this is not the image")
        self._phase(_P.VERIFY)
        self._phase(_P.CONFIGURE)
        hostname = self._file("hostname").strip()
        address, callback = self._file("callback").split()
        system = System(self.deployment_id, hostname, urlsplit(address).path, callback)
        self._write(disks, _put(hostname, system))

    def _wipe(self) -> None:
        disks = [disk for disk in self.iron.disks if disk.name in self.plan["disks"].split(",")]
        is_forged = self.iron.goes_wrong(_K.WIPE_FORGED)
        lost = disks[-1:] if self.iron.goes_wrong(_K.WIPE_DISK_MISSING) else []
        dirty = disks[-1:] if self.iron.goes_wrong(_K.WIPE_NONZERO) else []
        self._phase(_P.WRITE, lambda: self._write(disks[:1], Disk.clear))
        self._write([disk for disk in disks if not is_forged and disk not in (*lost, *dirty)], Disk.clear)
        self._phase(_P.VERIFY)
        body = self._report(disks, lost, dirty)
        signature = hmac.digest(self.plan["session"].encode(), body, "sha256").hex()
        answer = self._session("report", content=body, headers={"X-Signature": "0" * 64 if is_forged else signature})
        if answer is None or not answer.is_success:
            self._fail("verify", "report_refused", "the report was not taken")

    def _report(self, disks: list[Disk], lost: list[Disk], dirty: list[Disk]) -> bytes:
        told = [
            {
                "name": disk.name,
                "serial": disk.serial,
                "size_bytes": disk.size_bytes,
                "method": "discard",
                "samples": _SAMPLES,
                "nonzero_samples": 3 if disk in dirty else 0,
            }
            for disk in disks
            if disk not in lost
        ]
        return json.dumps({"serial": self.iron.label.serial, "disks": told, "seconds": 1}).encode()

    def _write(self, disks: list[Disk], change: Callable[[Disk], None]) -> None:
        for disk in disks:
            self.iron.write(self.boot, disk, self.deployment_id, change)

    def _phase(self, phase: DeploymentPhase, meanwhile: Callable[[], None] | None = None) -> None:
        """Tell a phase, begin with it, and let happen what goes wrong in it."""
        self._session("phases", data={"phase": phase.value, "detail": ""})
        if meanwhile is not None:
            meanwhile()
        _happen(self.iron, self.boot, phase)

    def _file(self, name: str) -> str:
        headers = {"Authorization": f"Bearer {self.plan['session']}"}
        answer = self.http.get(f"/deployments/{self.deployment_id}/files/{name}", headers=headers)
        if not answer.is_success:
            self._fail("configure", "file_missing", name)
        return answer.text

    def _fail(self, phase: str, code: str, detail: str) -> None:
        self._persistent("failure", self.plan["session"], data={"phase": phase, "code": code, "detail": detail})
        raise GivenUp

    def _session(self, path: str, **request: Any) -> httpx.Response | None:
        answer = self._persistent(path, self.plan["session"], **request)
        if answer is not None and answer.status_code in _OVER:
            raise GivenUp
        return answer

    def _persistent(self, path: str, token: str, **request: Any) -> httpx.Response | None:
        """Send until there is an answer that means something."""
        for _ in range(_TRIES):
            if self.boot.is_over:
                raise PowerGone
            answer = self._send(path, token, **request)
            if answer.status_code < _BROKEN and not self.iron.goes_wrong(_K.ANSWERS_LOST):
                return answer
        return None

    def _send(self, path: str, token: str, **request: Any) -> httpx.Response:
        headers = {**request.pop("headers", {}), "Authorization": f"Bearer {token}"}
        return self.http.post(f"/deployments/{self.deployment_id}/{path}", headers=headers, **request)


def _put(marker: str, system: System | None) -> Callable[[Disk], None]:
    def put(disk: Disk) -> None:
        disk.marker, disk.system = marker, system

    return put
