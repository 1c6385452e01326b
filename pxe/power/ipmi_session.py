"""One IPMI session in a process of its own: requests on standard input, answers on standard output, as lines of JSON.

``pyghmi`` keeps its sessions, sockets and a thread for the whole process, for ever; it waits as long as it likes, and
what it has to say it prints. In a child that is killed at a deadline, none of that is anybody's problem. Imports
nothing of ours, so that it can be started by its path.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pyghmi import exceptions
from pyghmi.ipmi.command import Command

_NODE_BUSY = 0xC0
_ADMINISTRATOR = 4
_REFUSALS = ("incorrect password", "unauthorized", "invalid role", "privilege")
"""In what pyghmi says of a login that was not accepted: its own words, or the standard's (IPMI 2.0, table 13-15)."""


def answer_to(command: Command, request: dict[str, Any]) -> Any:
    """Do one thing."""
    verbs: dict[str, Callable[..., Any]] = {
        "power": lambda: command.get_power()["powerstate"],
        "set_power": lambda state: command.set_power(state) and None,
        "boot": lambda: dict(command.get_bootdev()),
        "set_boot": lambda device: command.set_bootdev(device, persist=False) and None,
        "users": lambda: list(_users(command)),
        "remove_user": lambda uid: command.user_delete(uid) and None,
        "set_password": lambda uid, password: command.set_user_password(uid, password=password) and None,
    }
    return verbs[request.pop("do")](**request)


def _users(command: Command) -> Iterator[dict[str, Any]]:
    for uid, user in command.get_users().items():
        is_in = user["access"]["privilege_level"] != "no_access"
        yield {"uid": uid, "name": user["name"], "is_enabled": is_in and user["access"]["ipmi_msg"]}


def kind_of(error: Exception, *, is_login: bool) -> str:
    """Return what kind of failure it is: ``refused``, ``unreachable``, ``busy`` or ``failed``."""
    text = str(error).lower()
    if is_login:
        return "refused" if any(word in text for word in _REFUSALS) else "unreachable"
    if getattr(error, "ipmicode", 0) == _NODE_BUSY or "node busy" in text:
        return "busy"
    return "unreachable" if "no longer connected" in text or "timeout" in text else "failed"


def main() -> None:
    """Say that it is ready, log in as the first line says, then answer until there are no more lines, and log out."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what pyghmi prints is no answer

    def say(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")

    say(answer="ready")
    hello = json.loads(sys.stdin.readline())
    try:
        # Naming the privilege keeps pyghmi from logging in again as an operator after a refusal.
        command = Command(**hello, privlevel=_ADMINISTRATOR)
    except (exceptions.PyghmiException, OSError, ValueError) as error:
        say(error=kind_of(error, is_login=True), text=str(error))
        return
    say(answer=None)
    for line in sys.stdin:
        try:
            say(answer=answer_to(command, json.loads(line)))
        except Exception as error:  # noqa: BLE001 - pyghmi raises plain Exception; whatever it is, it is told
            say(error=kind_of(error, is_login=False), text=str(error))
    command.ipmi_session.logout()


if __name__ == "__main__":
    main()
