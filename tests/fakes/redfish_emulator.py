"""sushy-tools' own emulator with its fake systems, on loopback; run as a program (``tests.fakes.bmc_child``).

Power changes take a fraction of a second instead of up to eleven. In front of it: faults, a count of logins, and the
two services that the emulator does not have, sessions and accounts (DSP0266, DSP2046).
"""

import base64
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bcrypt
from sushy_tools.emulator import main as emulator
from sushy_tools.emulator.resources.systems import fakedriver
from werkzeug.serving import WSGIRequestHandler, make_server

SYSTEM = fakedriver.DEFAULT_UUID
USER, PASSWORD, SERIAL = "ours", "first password", "SN-0001"
_ROOT, _ACCOUNTS, _SESSIONS = (
    "/redfish/v1",
    "/redfish/v1/AccountService/Accounts",
    "/redfish/v1/SessionService/Sessions",
)
Environ = dict[str, Any]
Reply = tuple[str, list[tuple[str, str]], bytes]


class Control:
    """What the test has told, and what was seen."""

    def __init__(self, users: Path) -> None:
        self._file = users
        self.sessions: dict[str, str] | None = None
        self.everything = threading.Event()
        self.reset()

    def reset(self) -> None:
        """As it was in the beginning."""
        self.busy, self.hangs, self.disobeys, self.drops_boot = 0, False, False, False
        self.has_slots, self.forbids, self.loses = False, False, False
        self.orders: list[str] = []
        self.logins, self.refused = 0, 0
        self.sessions = None
        self.users = {USER: PASSWORD, "intruder": "let me in"}
        self.write()
        self.everything.set()
        self.everything = threading.Event()

    def write(self) -> None:
        """Have the emulator know the users."""
        lines = [
            f"{name}:{bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)).decode()}" for name, word in self.users.items()
        ]
        self._file.write_text("\n".join(lines) + "\n")


class Prompt(fakedriver.FakeDriver):  # type: ignore[misc] # sushy-tools ships no types
    """The emulator's own fake systems, in a hurry."""

    control: Control

    def set_power_state(self, identity: str, state: str) -> None:
        """Order something for the power."""
        self.control.orders.append(state)
        if self.control.disobeys:
            return
        super().set_power_state(identity, state)
        system = self._get(identity)
        if system.get("pending_power"):
            self._update(system, pending_power={**system["pending_power"], "apply_time": time.time() + 0.1})

    def set_boot_device(self, identity: str, boot_source: str) -> None:
        """Have it boot something."""
        if not self.control.drops_boot:
            super().set_boot_device(identity, boot_source)


class Front:
    """Before the emulator."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], control: Control) -> None:
        self._inner, self._control = inner, control

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        status, headers, body = self._reply(environ)
        start(status, [(name, value) for name, value in headers if name.lower() != "content-length"])
        return [body]

    def _reply(self, environ: Environ) -> Reply:
        control, path = self._control, environ["PATH_INFO"].rstrip("/")
        if control.hangs:
            control.everything.wait()
        if control.busy:
            control.busy -= 1
            return _json("503 Service Unavailable", {"error": {"code": "Base.1.0.ServiceTemporarilyUnavailable"}})
        if control.sessions is not None:
            if path == _SESSIONS and environ["REQUEST_METHOD"] == "POST":
                return self._log_in(_document(environ))
            user = control.sessions.get(environ.pop("HTTP_X_AUTH_TOKEN", ""))
            if user is not None:
                pair = f"{user}:{control.users.get(user, '')}".encode()
                environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(pair).decode()
        elif "HTTP_AUTHORIZATION" in environ:
            control.logins += 1
        had_login = "HTTP_AUTHORIZATION" in environ
        reply = self._serve(environ, path)
        if control.loses and environ["REQUEST_METHOD"] == "POST":
            control.everything.wait()
        if reply[0].startswith("401") and had_login:
            control.refused += 1
        return reply

    def _serve(self, environ: Environ, path: str) -> Reply:
        if path == _ROOT:
            return self._root(self._emulate(environ))
        if path.startswith((_ACCOUNTS.rpartition("/")[0], _SESSIONS)):
            # Whether the login is good is for the emulator to say.
            asked = self._emulate({**environ, "REQUEST_METHOD": "GET", "PATH_INFO": "/redfish/v1/Systems"})
            return asked if asked[0].startswith("401") else self._service(environ, path)
        status, headers, body = self._emulate(environ)
        if path == f"/redfish/v1/Systems/{SYSTEM}" and environ["REQUEST_METHOD"] == "GET" and status.startswith("200"):
            return _json(status, {**json.loads(body), "SerialNumber": SERIAL})
        return status, headers, body

    def _emulate(self, environ: Environ) -> Reply:
        kept: list[Any] = []
        body = b"".join(self._inner(environ, lambda status, headers, _info=None: kept.extend((status, headers))))
        return kept[0], kept[1], body

    def _root(self, reply: Reply) -> Reply:
        document = json.loads(reply[2])
        document["AccountService"] = {"@odata.id": _ACCOUNTS.rpartition("/")[0]}
        document.pop("SessionService", None)
        document.pop("Links", None)
        if self._control.sessions is not None:
            document["SessionService"] = {"@odata.id": _SESSIONS.rpartition("/")[0]}
            document["Links"] = {"Sessions": {"@odata.id": _SESSIONS}}
        return _json(reply[0], document)

    def _log_in(self, given: dict[str, str]) -> Reply:
        control = self._control
        assert control.sessions is not None
        control.logins += 1
        if control.users.get(given["UserName"]) != given["Password"]:
            control.refused += 1
            return _json("401 Unauthorized", {"error": {"code": "Base.1.0.NoValidSession"}})
        token = f"token-{control.logins}"
        control.sessions[token] = given["UserName"]
        status, headers, body = _json("201 Created", {"Id": token, "@odata.id": f"{_SESSIONS}/{token}"})
        return status, [*headers, ("X-Auth-Token", token), ("Location", f"{_SESSIONS}/{token}")], body

    def _service(self, environ: Environ, path: str) -> Reply:
        method, name = environ["REQUEST_METHOD"], path.rpartition("/")[2]
        control = self._control
        if path.startswith(_SESSIONS):
            assert control.sessions is not None
            control.sessions.pop(name, None)
            return "204 No Content", [], b""
        if path in _ACCOUNTS:  # the service or its collection
            members = [{"@odata.id": f"{_ACCOUNTS}/{user}"} for user in control.users]
            return _json("200 OK", {"Members": members, "Accounts": {"@odata.id": _ACCOUNTS}})
        if name not in control.users:
            return _json("404 Not Found", {"error": {}})
        if method == "GET":
            return _json("200 OK", {"UserName": name, "Enabled": True})
        if control.forbids:
            return _json("403 Forbidden", {"error": {"message": f"not allowed: {_document(environ)}"}})
        return self._change(name, {} if method == "DELETE" else _document(environ), is_gone=method == "DELETE")

    def _change(self, name: str, given: dict[str, Any], *, is_gone: bool) -> Reply:
        control = self._control
        if is_gone and control.has_slots:
            return _json("405 Method Not Allowed", {"error": {"message": "accounts are slots"}})
        if is_gone or given.get("UserName") == "":
            del control.users[name]
        else:
            control.users[name] = given["Password"]
        control.write()
        return "204 No Content", [], b""


def _document(environ: Environ) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
    return document


def _json(status: str, document: Any) -> Reply:
    return status, [("Content-Type", "application/json")], json.dumps(document).encode()


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def told(control: Control, do: str, **more: Any) -> Any:
    """Do what the test asks for."""
    if do == "reset":
        control.reset()
        emulator.app.systems._update(SYSTEM, power_state="Off", pending_power=None, boot_device="Hdd")
    elif do == "set":
        for name, value in more.items():
            setattr(control, name, value)
    elif do == "heal":
        control.busy, control.hangs, control.disobeys, control.loses = 0, False, False, False
        control.everything.set()
        control.everything = threading.Event()
    power = emulator.app.systems.get_power_state(SYSTEM)
    return {
        "power": power,
        **{name: getattr(control, name) for name in ("users", "refused", "logins", "sessions", "orders")},
    }


def main() -> None:
    """Serve until there is nobody to ask any more."""
    folder = Path(sys.argv[1])
    control = Control(folder / "users")
    Prompt.control = control
    fakedriver.FakeDriver = Prompt
    settings = {
        "SUSHY_EMULATOR_FAKE_DRIVER": True,
        "SUSHY_EMULATOR_STATE_DIR": str(folder),
        "SUSHY_EMULATOR_AUTH_FILE": str(folder / "users"),
    }
    emulator.app.configure(extra_config=settings)
    front = Front(emulator.app.wsgi_app, control)
    server = make_server("127.0.0.1", 0, front, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(told(control, **json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
