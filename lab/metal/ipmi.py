"""An IPMI controller: pyghmi's own BMC in a process of its own, in front of a machine of this one.

pyghmi keeps its sockets and sessions in the process; a client in the same one would get at the controller's.
"""

import json
import socket
import subprocess
import sys
import threading
from typing import IO, Self

from lab.metal.power import Switch
from lab.metal.qemu import BootDevice

_END_SECONDS = 10.0


class IpmiController:
    """One controller for one machine, on a free UDP port of loopback, as a context manager.

    Attributes:
        port: where it listens.
        user, password: what it asks for (IPMI 2.0, RMCP+).
    """

    def __init__(self, machine: Switch, *, user: str, password: str) -> None:
        self.user, self.password = user, password
        self._machine = machine
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """``HOST:PORT``."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.metal.ipmi_bmc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        asked, answers = _pipes(self._process)
        settings = {"port": self.port, "user": self.user, "password": self.password}
        answers.write(json.dumps(settings) + "\n")
        answers.flush()
        if asked.readline() != "ready\n":
            raise RuntimeError("pyghmi's BMC did not start")
        self._thread = threading.Thread(target=self._serve, args=(asked, answers), name="ipmi", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None or self._thread is None:
            return
        self._process.terminate()
        self._process.wait(_END_SECONDS)
        self._thread.join(_END_SECONDS)
        for pipe in _pipes(self._process):
            pipe.close()

    def _serve(self, asked: IO[str], answers: IO[str]) -> None:
        """Do what the controller's process is asked to; it is one command a line, and one answer."""
        for line in asked:
            answers.write(self._do(*line.split()) + "\n")
            answers.flush()

    def _do(self, command: str, *arguments: str) -> str:
        if command == "state":
            return "on" if self._machine.is_on else "off"
        if command == "device":
            return str(self._machine.boot_device)
        if command == "boot":
            self._machine.set_boot_device(BootDevice(arguments[0]), once=arguments[1] == "once")
        else:
            {"on": self._machine.power_on, "off": self._machine.power_off, "reset": self._machine.reset}[command]()
        return "done"


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdout is None or process.stdin is None:
        raise RuntimeError("the process was started with pipes")
    return process.stdout, process.stdin
