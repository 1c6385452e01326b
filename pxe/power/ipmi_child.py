"""Our end of the process that speaks IPMI (:mod:`pxe.power.ipmi_session`)."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pxe.power.errors import BmcBusy, BmcRefused, BmcUnreachable, NotOffered, PowerError
from pxe.power.gate import Gate
from pxe.power.login import Login
from pxe.power.timing import Timing

_PROGRAM = Path(__file__).with_name("ipmi_session.py")
_STARTING = 5.0
"""Seconds that the process has to start, on a machine that is busy."""
_ANSWERS = {"users": 4, "remove_user": 2}
"""For how many single answers the BMC gets the time: a list of users is dozens of commands."""
_ENDING = 3.0
"""Seconds that it has to log out."""
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "SYSTEMROOT")


class IpmiBmc:
    """A BMC at an address, with one login. Deadlines are real seconds, whatever the clock of ``timing``."""

    def __init__(self, host: str, port: int, login: Login, timing: Timing) -> None:
        self.login, self._host, self._port, self._timing = login, host, port, timing
        self._gate = Gate()

    @contextmanager
    def session(self) -> Iterator["IpmiSession"]:
        """A session for the length of the block."""
        with self._gate.talk(), self._child(self._timing.call) as session:
            yield session

    def check(self) -> None:
        """Log in, look whether the machine is on, log out; nothing is repeated."""
        with self._gate.talk(self._timing.check), self._child(self._timing.check) as session:
            session.once("power")

    @contextmanager
    def _child(self, seconds: float) -> Iterator["IpmiSession"]:
        # -P: this folder's modules must not stand in for anybody else's of the same name.
        command = [sys.executable, "-P", str(_PROGRAM)]
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )
        session = IpmiSession(process, f"{self._host}:{self._port}", self.login.user, seconds, self._timing)
        try:
            session.log_in(
                {
                    "bmc": self._host,
                    "port": self._port,
                    "userid": self.login.user,
                    "password": self.login.password,
                }
            )
            yield session
        finally:
            session.end()


class IpmiSession:
    """A session that is open; made by :class:`IpmiBmc`."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", place: str, user: str, seconds: float, timing: Timing
    ) -> None:
        assert process.stdin is not None  # noqa: S101 - asked for pipes
        assert process.stdout is not None  # noqa: S101 - asked for pipes
        self._process, self._in, self._out = process, process.stdin, process.stdout
        self._place, self._user, self._seconds, self._timing = place, user, seconds, timing
        self._read = b""

    def log_in(self, hello: dict[str, Any]) -> None:
        """Open the session: one try.

        Raises:
            BmcRefused: the BMC does not accept the login.
            BmcUnreachable: no answer, which some BMCs also give to a user that they do not know.
        """
        self._line(_STARTING)
        self._exchange(hello, self._seconds)

    def ask(self, do: str, **more: Any) -> Any:
        """Do one thing, again while the BMC has no time.

        Raises:
            PowerError: see the errors' own descriptions.
        """
        return self._timing.patient(lambda: self.once(do, **more))

    def once(self, do: str, **more: Any) -> Any:
        """Do one thing."""
        return self._exchange({"do": do, **more}, self._seconds * _ANSWERS.get(do, 1))

    def end(self) -> None:
        """Log out and end the process, by force if it does not come to an end."""
        self._in.close()
        try:
            self._process.wait(_ENDING if self._process.poll() is None else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    def _exchange(self, request: dict[str, Any], seconds: float) -> Any:
        try:
            self._in.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            raise self._silent() from None
        answer = json.loads(self._line(seconds))
        if "error" in answer:
            raise self._meaning(answer["error"], answer["text"])
        return answer["answer"]

    def _line(self, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            while b"\n" not in self._read:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self._process.kill()
                    raise self._silent()
                more = os.read(self._out.fileno(), 65536)
                if not more:
                    raise self._silent()
                self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return line

    def _silent(self) -> PowerError:
        return BmcUnreachable(
            f"the BMC at {self._place} did not answer in time; check SLIPWAY_BMC_ADDRESS, or try again later"
        )

    def _meaning(self, kind: str, text: str) -> PowerError:
        if kind == "refused":
            return BmcRefused(
                f"the BMC at {self._place} does not accept the login of '{self._user}': {text}; check SLIPWAY_BMC_USER "
                "and SLIPWAY_BMC_PASSWORD. One try was made"
            )
        if kind == "busy":
            return BmcBusy(f"the BMC at {self._place} has no time ({text}); try again later")
        if kind == "unreachable":
            return self._silent()
        return NotOffered(f"the BMC at {self._place} does not do that: {text}")
