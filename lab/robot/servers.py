"""Servers: name, cancellation, reset and what they boot next. No I/O."""

import re
import secrets

import asyncssh

from lab.robot.errors import ApiError, invalid_input
from lab.robot.form import Form, listed, required
from lab.robot.world import Item, World, named

RESET_TYPES = ("hw", "sw", "man")
RESETS_AT_ONCE = frozenset({"hw", "sw"})
"""The third asks a technician."""
BOOTS: dict[str, Item] = {
    "rescue": {"os": ["linux", "vkvm"], "arch": [64]},
    "linux": {"dist": ["Debian 12 base", "Debian 13 base"], "arch": [64], "lang": ["en"]},
}
_OPTIONS = ("reset", "rescue", "vnc", "windows", "plesk", "cpanel", "wol", "hot_swap")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Servers:
    """The servers of an account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> list[Item]:
        """Every server in short."""
        if not self._world.servers:
            raise ApiError(404, "SERVER_NOT_FOUND", "No server found")
        return [{"server": _short(server)} for server in self._world.servers.values()]

    def get(self, name: str) -> Item:
        """One server with what can be done to it."""
        server = self._world.server(name)
        can = {option: option in {"reset", "rescue"} for option in _OPTIONS}
        return {"server": {**_short(server), **can, "linked_storagebox": None}}

    def rename(self, name: str, form: Form) -> Item:
        """Give a server another name."""
        server = self._world.server(name)
        (server["server_name"],) = required(form, "server_name")
        return self.get(name)

    def cancellation(self, name: str) -> Item:
        """Whether and to when a server is cancelled."""
        server = self._world.server(name)
        given = server["cancellation"] or {"cancellation_date": None, "cancellation_reason": None}
        head = {**named(server), "server_name": server["server_name"]}
        state = {"earliest_cancellation_date": self._world.today(), "cancelled": server["cancellation"] is not None}
        return {"cancellation": {**head, **state, "reservation_possible": False, "reserved": False, **given}}

    def cancel(self, name: str, form: Form) -> Item:
        """Cancel a server to a date or ``now``."""
        server = self._world.server(name)
        (date,) = required(form, "cancellation_date")
        if server["cancellation"] is not None:
            raise ApiError(409, "CONFLICT", "The server is already cancelled")
        if date == "now":
            date = self._world.today()
        if not (_DATE.fullmatch(date) and date >= self._world.today()):
            raise invalid_input(invalid=["cancellation_date"])
        reason = form.get("cancellation_reason")
        server["cancellation"] = {"cancellation_date": date, "cancellation_reason": reason}
        server["cancelled"] = True
        return self.cancellation(name)

    def keep(self, name: str) -> None:
        """Withdraw a cancellation."""
        server = self._world.server(name)
        if server["cancellation"] is None:
            raise ApiError(409, "CONFLICT", "The cancellation cannot be revoked")
        server.update(cancellation=None, cancelled=False)

    def resets(self) -> list[Item]:
        """How each server can be reset."""
        return [{"reset": {**named(item), "type": list(RESET_TYPES)}} for item in self._world.servers.values()]

    def reset_options(self, name: str) -> Item:
        """How a server can be reset."""
        server = self._world.server(name)
        return {"reset": {**named(server), "type": list(RESET_TYPES), "operating_status": "running"}}

    def reset(self, name: str, form: Form) -> Item:
        """Reset a server: what was to boot next boots now, once."""
        server = self._world.server(name)
        (kind,) = required(form, "type")
        if kind not in RESET_TYPES:
            raise invalid_input(invalid=["type"])
        number = server["server_number"]
        if kind not in RESETS_AT_ONCE:
            self._world.resets.append({"server_number": number, "type": kind, "booted": None})
            return {"reset": {**named(server), "type": kind}}
        booted = next((system for system in BOOTS if self._active(number, system)), "disk")
        if booted != "disk":
            self._world.boots[number, booted]["active"] = False
        self._world.resets.append({"server_number": number, "type": kind, "booted": booted})
        self._world.on_boot(number, booted)
        return {"reset": {**named(server), "type": kind}}

    def boot(self, name: str) -> Item:
        """What a server can boot, and what it will."""
        return {"boot": {system: self.boot_of(name, system)[system] for system in BOOTS}}

    def boot_of(self, name: str, system: str, *, last: bool = False) -> Item:
        """One of the systems; with ``last`` as it was activated the last time."""
        server = self._world.server(name)
        number = server["server_number"]
        kept = self._world.boots.get((number, system))
        given: Item = {"active": False, "password": None, "authorized_key": [], "host_key": []}
        shown = kept if kept is not None and (last or kept["active"]) else {**BOOTS[system], **given}
        return {system: {**named(server), **shown}}

    def activate(self, name: str, system: str, form: Form) -> Item:
        """Have a server boot a system at its next start. Without keys there is a password."""
        number = self._world.server(name)["server_number"]
        options = [option for option in BOOTS[system] if option != "arch"]
        chosen = dict(zip(options, required(form, *options), strict=True))
        wrong = [option for option, value in chosen.items() if value not in BOOTS[system][option]]
        keys = listed(form, "authorized_key")
        unknown = [key for key in keys if key not in self._world.keys]
        if wrong or unknown:
            raise invalid_input(invalid=[*wrong, *(["authorized_key"] if unknown else [])])
        if any(self._active(number, other) for other in BOOTS):
            raise ApiError(409, "BOOT_ALREADY_ENABLED", "There is already an active boot configuration for the server")
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._world.machines[number].host_key = host_key.export_private_key().decode()
        self._world.boots[number, system] = {
            **chosen,
            "arch": 64,
            "active": True,
            "password": None if keys else secrets.token_urlsafe(9),
            "authorized_key": [{"key": _key(self._world.keys[key])} for key in keys],
            "host_key": [{"key": _host_key(host_key)}],
        }
        return self.boot_of(name, system)

    def deactivate(self, name: str, system: str) -> Item:
        """Let a server boot from its disk."""
        number = self._world.server(name)["server_number"]
        if self._active(number, system):
            self._world.boots[number, system]["active"] = False
        return self.boot_of(name, system)

    def _active(self, number: int, system: str) -> bool:
        return bool(self._world.boots.get((number, system), {}).get("active"))


def _short(server: Item) -> Item:
    return {key: value for key, value in server.items() if key != "cancellation"}


def _key(key: Item) -> Item:
    return {name: key[name] for name in ("name", "fingerprint", "type", "size")}


def _host_key(key: asyncssh.SSHKey) -> Item:
    return {"fingerprint": key.get_fingerprint("md5").removeprefix("MD5:"), "type": "ED25519", "size": 256}
