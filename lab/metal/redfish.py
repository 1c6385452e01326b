"""A Redfish controller: sushy-tools' emulator in front of the lab's machines, with a driver of ours for them."""

import importlib.util
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self
from wsgiref.types import StartResponse, WSGIEnvironment

import bcrypt
from sushy_tools import error
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems.base import AbstractSystemsDriver
from werkzeug.serving import WSGIRequestHandler, make_server

from lab.metal.qemu import BootDevice, QemuMachine

_DEVICES = {"Pxe": BootDevice.PXE, "Hdd": BootDevice.DISK}
_NAMES = {device: name for name, device in _DEVICES.items()}
_HANG_SECONDS = 3600.0


@dataclass
class RedfishFaults:
    """What is wrong with the controller; may be changed at any time.

    Attributes:
        answers_503: how many of the next requests are answered with 503 (-1: all).
        hangs: requests are not answered; those that wait are broken off when the controller is closed.
    """

    answers_503: int = 0
    hangs: bool = False


class MachinesDriver(AbstractSystemsDriver):  # type: ignore[misc] # sushy-tools ships no types
    """sushy-tools' view of machines; the id of a system is its UUID.

    Attributes:
        once: whether the request at hand sets the boot device for one start only: sushy-tools leaves that out.
    """

    def __init__(self, machines: Mapping[str, QemuMachine]) -> None:
        self._machines = machines
        self.once = threading.local()

    @property
    def driver(self) -> str:
        """What sushy-tools calls this in its log."""
        return "<slipway lab>"

    @property
    def systems(self) -> list[str]:
        """The ids of all systems."""
        return list(self._machines)

    def machine(self, identity: str) -> QemuMachine:
        """The machine of an id.

        Raises:
            sushy_tools.error.NotFound: there is none.
        """
        if identity not in self._machines:
            raise error.NotFound(f"System {identity} was not found")
        return self._machines[identity]

    def uuid(self, identity: str) -> str:
        """The id itself."""
        return str(self.machine(identity).spec.uuid)

    def name(self, identity: str) -> str:
        """The machine's name."""
        return self.machine(identity).spec.name

    def get_power_state(self, identity: str) -> str:
        """``On`` or ``Off``."""
        return "On" if self.machine(identity).is_on else "Off"

    def set_power_state(self, identity: str, state: str) -> None:
        """Act on a reset type of Redfish's; a graceful shutdown is one without grace."""
        machine = self.machine(identity)
        actions: dict[str, Callable[[], None]] = {
            "On": machine.power_on,
            "ForceOn": machine.power_on,
            "ForceOff": machine.power_off,
            "GracefulShutdown": machine.power_off,
            "ForceRestart": machine.reset,
            "GracefulRestart": machine.reset,
        }
        if state not in actions:
            raise error.NotSupportedError(f"Power state {state} is not supported")
        actions[state]()

    def get_boot_device(self, identity: str) -> str:
        """As Redfish names it."""
        return _NAMES[self.machine(identity).boot_device]

    def set_boot_device(self, identity: str, boot_source: str) -> None:
        """For the next start only if the request says so."""
        if boot_source not in _DEVICES:
            raise error.NotSupportedError(f"Boot device {boot_source} is not supported")
        once = getattr(self.once, "value", False)
        self.machine(identity).set_boot_device(_DEVICES[boot_source], once=once)

    def get_boot_mode(self, identity: str) -> str:
        """BIOS."""
        self.machine(identity)
        return "Legacy"

    def get_total_memory(self, identity: str) -> int:
        """In GiB."""
        return max(1, self.machine(identity).spec.memory_mib // 1024)

    def get_total_cpus(self, identity: str) -> int:
        """Cores."""
        return self.machine(identity).spec.cores

    def get_nics(self, identity: str) -> list[dict[str, str]]:
        """Its one card."""
        mac = self.machine(identity).spec.mac
        return [{"id": mac, "mac": mac}]


class RedfishController:
    """One controller for several machines, on a free port of loopback, as a context manager.

    Attributes:
        url: its address, without ``/redfish/v1``.
        user, password: what it asks for (HTTP basic authentication).
        faults: may be changed at any time.
    """

    def __init__(self, machines: Iterable[QemuMachine], folder: Path, *, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.faults = RedfishFaults()
        by_id = {str(machine.spec.uuid): machine for machine in machines}
        self._driver = MachinesDriver(by_id)
        app = _emulator(self._driver, _password_file(folder, user, password))
        self._released = threading.Event()
        self._server = make_server("127.0.0.1", 0, _Wire(app, self), threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="redfish", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def system_path(self, machine: QemuMachine) -> str:
        """A machine's path: what ``sushy`` and ``SLIPWAY_BMC_SYSTEM`` take."""
        return f"/redfish/v1/Systems/{machine.spec.uuid}"

    def hang(self) -> None:
        """Wait until the controller is closed."""
        self._released.wait(_HANG_SECONDS)

    def note_once(self, body: bytes) -> None:
        """Remember for this thread's request whether its boot device counts once."""
        boot = json.loads(body or b"{}").get("Boot") or {}
        self._driver.once.value = boot.get("BootSourceOverrideEnabled") == "Once"

    def complete(self, path: str, body: bytes) -> bytes:
        """Add to a system's document what sushy-tools leaves out: the serial, and whether an override counts once."""
        document = json.loads(body)
        machine = self._driver.machine(path.rstrip("/").rpartition("/")[2])
        document["SerialNumber"] = machine.spec.serial
        document["Boot"]["BootSourceOverrideEnabled"] = "Once" if machine.boots_once else "Continuous"
        return json.dumps(document).encode()


class _Wire:
    """The WSGI application before sushy-tools': faults, and what its own requests and answers leave out."""

    def __init__(self, app: Any, controller: RedfishController) -> None:
        self._app, self._controller = app, controller

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        faults = self._controller.faults
        if faults.hangs:
            self._controller.hang()
        if faults.answers_503:
            faults.answers_503 -= faults.answers_503 > 0
            start_response("503 Service Unavailable", [("Content-Type", "application/json"), ("Content-Length", "2")])
            return [b"{}"]
        if environ["REQUEST_METHOD"] == "PATCH":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
            self._controller.note_once(body)
        return self._answer(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        said: list[Any] = []
        parts = self._app(environ, lambda status, headers, *_: said.extend([status, headers]))
        body = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        status, headers = said[0], [pair for pair in said[1] if pair[0].lower() != "content-length"]
        path = environ["PATH_INFO"].rstrip("/")
        if (
            status.startswith("200")
            and environ["REQUEST_METHOD"] == "GET"
            and path.rpartition("/")[0].endswith("/Systems")
        ):
            body = self._controller.complete(path, body)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


def _emulator(driver: MachinesDriver, password_file: Path) -> Any:
    """A copy of sushy-tools' module, with an application of its own: the module has one for the whole process."""
    spec = importlib.util.spec_from_file_location(f"{emulator.__name__}_{id(driver)}", emulator.__file__)
    if spec is None or spec.loader is None:
        raise RuntimeError("sushy-tools' emulator cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    # Flask looks up its templates by the module's name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.Application.systems = driver
    module.app.logger.setLevel(logging.CRITICAL)
    module.app.configure(extra_config={"SUSHY_EMULATOR_AUTH_FILE": str(password_file)})
    return module.app


def _password_file(folder: Path, user: str, password: str) -> Path:
    path = folder / "redfish-users"
    # Four rounds: this guards a test's controller, and each request is checked.
    path.write_text(f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n", encoding="utf-8")
    return path
