"""The process of an IPMI controller (``lab.metal.ipmi``): settings and answers come in, commands go out, by lines."""

import json
import os
import sys
from typing import Any

from pyghmi.ipmi.bmc import Bmc
from pyghmi.ipmi.private import serversession
from pyghmi.ipmi.private.session import Session

_PERSISTENT = 0b0100_0000
"""In the first byte of the boot flags (IPMI 2.0, table 28-14): for all starts, not only the next."""
_PXE, _DISK = 1, 2
_DEVICES = {_PXE: "pxe", _DISK: "disk"}
_NUMBERS = {"pxe": _PXE, "disk": _DISK}
_LISTEN_SECONDS = 2.0


_SHA1, _ALGORITHM_AT = 1, 12
_NO_SUCH_CIPHER_SUITE = 0x11


class Sha1Session(serversession.ServerSession):  # type: ignore[misc] # pyghmi ships no types
    """pyghmi's BMC can SHA-1 only and says yes to all; its own client asks for SHA-256 first and takes its word."""

    def create_open_session_response(self, request: bytes) -> bytearray:
        """Refuse what it cannot (IPMI 2.0, table 13-15), upon which clients ask for SHA-1."""
        if request[_ALGORITHM_AT] != _SHA1:
            return bytearray([request[0], _NO_SUCH_CIPHER_SUITE, 0, 0]) + bytearray(request[4:8])
        response: bytearray = super().create_open_session_response(request)
        return response


class LabBmc(Bmc):  # type: ignore[misc] # pyghmi ships no types
    """pyghmi's BMC, with the machine at the other end of the pipes."""

    def get_power_state(self) -> str:
        """``on`` or ``off``."""
        return _ask("state")

    def power_on(self) -> None:
        """Chassis control 1."""
        _ask("on")

    def power_off(self) -> None:
        """Chassis control 0."""
        _ask("off")

    def power_shutdown(self) -> None:
        """Chassis control 5; without grace here."""
        _ask("off")

    def power_reset(self) -> None:
        """Chassis control 3."""
        _ask("reset")

    def power_cycle(self) -> None:
        """Chassis control 2."""
        _ask("reset")

    def cold_reset(self) -> int:
        """The controller itself starts anew: nothing to do."""
        return 0

    def is_active(self) -> bool:
        """Whether the machine has a console to give."""
        return _ask("state") == "on"

    def get_boot_device(self) -> int:
        """As a number of the boot flags, in their place in the byte."""
        return _NUMBERS[_ask("device")] << 2

    def listen_once(self, seconds: float) -> None:
        """Serve what comes within this time."""
        Session.wait_for_rsp(seconds)

    def set_system_boot_options(self, request: dict[str, Any], session: Any) -> None:
        """Boot flags: pyghmi's own leaves out whether they count for the next start only."""
        number, *data = request["data"]
        if number != 5:  # noqa: PLR2004 - boot flags
            session.send_ipmi_response()
            return
        device = _DEVICES.get((data[1] >> 2) & 0b1111)
        if device is None:
            # 0: no override, the usual order.
            _ask("boot disk always")
        else:
            _ask(f"boot {device} {'always' if data[0] & _PERSISTENT else 'once'}")
        session.send_ipmi_response()


def _ask(command: str) -> str:
    sys.stdout.write(command + "\n")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer:
        sys.exit(0)
    return answer.strip()


def main() -> None:
    """Serve until told to end, or until whoever started this is gone."""
    # The name by which pyghmi's server finds the class of its sessions.
    serversession.ServerSession = Sha1Session
    settings = json.loads(sys.stdin.readline())
    bmc = LabBmc({settings["user"]: settings["password"]}, port=settings["port"], address="127.0.0.1")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:
        bmc.listen_once(_LISTEN_SECONDS)


if __name__ == "__main__":
    main()
