"""pyghmi's own BMC on loopback; run as a program (``tests.fakes.bmc_child``).

Added to it is what it lacks: users (IPMI 2.0, 22.26 to 22.30), faults, a count of logins, and the refusal of a cipher
suite that it does not have, which it takes and then does not speak.
"""

import json
import sys
import threading
from typing import Any

from pyghmi.ipmi.bmc import Bmc
from pyghmi.ipmi.private import serversession
from pyghmi.ipmi.private import session as ipmi_session

USER, PASSWORD = "ours", "first password"
_NODE_BUSY, _INVALID = 0xC0, 0xCC
_OPEN_SESSION, _SHA256, _NO_CIPHER_SUITE = 16, 3, 0x11
_APP = 6
SLOTS = 6


class Machine(Bmc):  # type: ignore[misc] # pyghmi ships no types
    """A machine that obeys at once."""

    def __init__(self, port: int) -> None:
        self.names: dict[int, str] = {}
        self.words: dict[int, str] = {}
        self.refuses: set[int] = set()
        self.reset()
        super().__init__(self, port=port, address="127.0.0.1")
        self.port = self.serversocket.getsockname()[1]  # by which pyghmi finds a client's session again

    def reset(self) -> None:
        """As it was in the beginning."""
        self.power, self.device = "off", "default"
        self.orders: list[str] = []
        self.busy, self.hangs, self.disobeys, self.drops_boot = 0, False, False, False
        self.logins = 0
        self.at_login: set[Any] = set()
        self.names = {2: USER, 3: "intruder"}
        self.words = {2: PASSWORD, 3: "let me in"}
        self.refuses = set()

    def get(self, user: str) -> str | None:
        """The password of a user who tries to log in, for pyghmi."""
        uid = next((uid for uid, name in self.names.items() if name == user), None)
        return None if uid is None or uid in self.refuses else self.words.get(uid)

    def note_login(self, client: Any) -> None:
        """Count a try; a client that begins anew, because it got no answer in time, is still at the same one."""
        self.logins += client not in self.at_login
        self.at_login.add(client)

    def sessionless_data(self, data: bytes, sockaddr: Any) -> None:
        """Take a packet that is of no session."""
        if self.hangs:
            return
        if len(data) > 28 and data[4] == _APP and data[5] == _OPEN_SESSION and data[28] == _SHA256:
            answer = bytes([data[16], _NO_CIPHER_SUITE, 0, 0]) + bytes(data[20:24])
            packet = b"\x06\x00\xff\x07\x06\x11" + bytes(8) + len(answer).to_bytes(2, "little") + answer
            ipmi_session._io_sendto(self.serversocket, packet, sockaddr)
            return
        self.kg = None  # pyghmi keeps the first user's key for all that come
        super().sessionless_data(data, sockaddr)

    def handle_raw_request(self, request: dict[str, Any], session: Any) -> None:
        """Serve a command."""
        self.at_login.discard(session.sockaddr)
        if self.hangs:
            return
        what = (request["netfn"], request["command"])
        if self.busy and what[0] == 0:
            self.busy -= 1
            session.send_ipmi_response(code=_NODE_BUSY)
        elif what[0] == _APP and what[1] in _USER_COMMANDS:
            _USER_COMMANDS[what[1]](self, bytes(request["data"]), session)
        else:
            super().handle_raw_request(request, session)

    def get_power_state(self) -> str:
        """Whether it is on."""
        return self.power

    def power_on(self) -> None:
        """On."""
        self._order("on")

    def power_off(self) -> None:
        """Off, at once."""
        self._order("off")

    def power_shutdown(self) -> None:
        """Off, by its operating system."""
        self._order("off", told="shutdown")

    def power_reset(self) -> None:
        """Reset."""
        self._order("on", told="reset")

    def get_boot_device(self) -> str:
        """What it boots next."""
        return self.device

    def set_boot_device(self, bootdevice: str) -> None:
        """Have it boot something next."""
        if not self.drops_boot:
            self.device = bootdevice

    def _order(self, state: str, told: str = "") -> None:
        self.orders.append(told or state)
        if not self.disobeys:
            self.power = state

    def _channel(self, _data: bytes, session: Any) -> None:
        session.send_ipmi_response(data=[1, 4, 1, 0x80, 0xF2, 0x1B, 0, 0, 0])

    def _set_access(self, data: bytes, session: Any) -> None:
        if data[2] & 0x0F == 0x0F:
            self.refuses.add(data[1])
        session.send_ipmi_response()

    def _get_access(self, data: bytes, session: Any) -> None:
        uid = data[1]
        is_in = uid in self.names and uid not in self.refuses
        session.send_ipmi_response(data=[SLOTS, len(self.names), 0, 0x34 if is_in else 0x0F])

    def _set_name(self, data: bytes, session: Any) -> None:
        name = data[1:17].rstrip(b"\0").decode()
        self.names.pop(data[0], None)
        if name:
            self.names[data[0]] = name
        session.send_ipmi_response()

    def _get_name(self, data: bytes, session: Any) -> None:
        if data[0] in self.names:
            session.send_ipmi_response(data=list(self.names[data[0]].encode().ljust(16, b"\0")))
        else:
            session.send_ipmi_response(code=_INVALID)

    def _set_password(self, data: bytes, session: Any) -> None:
        uid, operation = data[0] & 0x3F, data[1] & 3
        if operation == 0:
            self.refuses.add(uid)
        elif operation == 2:
            self.words[uid] = data[2:].rstrip(b"\0").decode()
        session.send_ipmi_response()


_USER_COMMANDS = {
    0x42: Machine._channel,
    0x43: Machine._set_access,
    0x44: Machine._get_access,
    0x45: Machine._set_name,
    0x46: Machine._get_name,
    0x47: Machine._set_password,
}


class CountedSession(serversession.ServerSession):  # type: ignore[misc] # pyghmi ships no types
    """A client's session, whose logins are counted."""

    bmc: Machine

    def _got_rakp1(self, data: Any) -> None:
        self.bmc.note_login(self.sockaddr)
        super()._got_rakp1(data)


def told(machine: Machine, do: str, **more: Any) -> Any:
    """Do what the test asks for."""
    if do == "reset":
        machine.reset()
    elif do == "set":
        for name, value in more.items():
            setattr(machine, name, value)
    elif do == "heal":
        machine.busy, machine.hangs, machine.disobeys = 0, False, False
    users = {machine.names[uid]: machine.words[uid] for uid in machine.names if uid not in machine.refuses}
    return {"power": machine.power, "users": users, "logins": machine.logins, "orders": machine.orders}


def main() -> None:
    """Serve until there is nobody to ask any more."""
    serversession.ServerSession = CountedSession
    machine = Machine(0)
    answers = sys.stdout
    sys.stdout = sys.stderr
    answers.write(json.dumps({"port": machine.port}) + "\n")
    answers.flush()
    threading.Thread(target=machine.listen, args=(0.02,), daemon=True).start()
    for line in sys.stdin:
        answers.write(json.dumps(told(machine, **json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
