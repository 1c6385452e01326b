"""A node's API, as far as tokens go. Every call blocks."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote

import httpx

from components.pve_access.errors import AccessError, Refused, Unreachable
from components.pve_access.settings import ROOT, root_password
from components.specs.platform.node_access import Grant

TIMEOUT = 30.0
"""Seconds for one request."""
_BAD_LOGIN, _BROKEN, _GATEWAY = 401, 500, 501
_NO_USER = "no such user"


class NodeApi:
    """One login on one node; a context manager that closes the connection.

    Args:
        name: the node's, for messages.
        http: with the node's address.
    """

    def __init__(self, name: str, http: httpx.Client) -> None:
        self._name, self._http = name, http

    @classmethod
    def log_in(cls, name: str, http: httpx.Client, user: str, password: str) -> Self:
        """Log in, with one try.

        Raises:
            AccessError: the password is wrong, or the node does not answer.
        """
        node = cls(name, http)
        try:
            ticket = node.call("POST", "/access/ticket", {"username": user, "password": password})
        except Refused as error:
            http.close()
            if error.status != _BAD_LOGIN:
                raise
            problem = f"the node '{name}' does not accept the password of {user}: check the variable it comes from"
            raise AccessError(f"{problem}. One try was made") from None
        except AccessError:
            http.close()
            raise
        http.cookies.set("PVEAuthCookie", ticket["ticket"])
        http.headers["CSRFPreventionToken"] = ticket["CSRFPreventionToken"]
        return node

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._http.close()

    def tokens(self, user: str) -> frozenset[str]:
        """Return the names of a user's tokens; none if there is no such user."""
        try:
            return frozenset(item["tokenid"] for item in self.call("GET", f"/access/users/{quote(user)}/token"))
        except Refused as error:
            if _NO_USER in str(error):
                return frozenset()
            raise

    def make_token(self, user: str, name: str) -> str:
        """Make a token that has no privilege yet, and return it whole: ``user@realm!name=uuid``. Told only once."""
        settings = {"privsep": 1, "comment": "Slipway control plane"}
        made = self.call("POST", f"/access/users/{quote(user)}/token/{name}", settings)
        return f"{made['full-tokenid']}={made['value']}"

    def remove_tokens(self, user: str, names: Iterable[str]) -> None:
        """Remove tokens, with all that was granted to them."""
        for name in sorted(names):
            self.call("DELETE", f"/access/users/{quote(user)}/token/{name}")

    def grants(self, token: str) -> tuple[Grant, ...]:
        """Return what a token has been granted, ordered."""
        entries = [item for item in self.call("GET", "/access/acl") if item["ugid"] == token]
        found = [Grant(path=item["path"], role=item["roleid"]) for item in entries]
        return tuple(sorted(found, key=lambda grant: (grant.path, grant.role)))

    def grant(self, token: str, grants: Iterable[Grant], *, delete: bool = False) -> None:
        """Grant a token what it may do, or take that away."""
        for item in grants:
            entry = {"path": item.path, "roles": item.role, "tokens": token}
            self.call("PUT", "/access/acl", {**entry, "delete": 1} if delete else entry)

    def call(self, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Any:
        """Send one request and return its ``data``.

        Raises:
            Refused: the node said no, in its own words.
            Unreachable: there was no answer.
        """
        try:
            answer = self._http.request(method, f"/api2/json{path}", data=dict(fields) if fields else None)
        except httpx.TransportError as error:
            reason = f"{type(error).__name__} {error}".strip()
            raise Unreachable(f"the node '{self._name}' did not answer {method} {path}: {reason}; run again") from None
        if answer.is_success:
            return answer.json()["data"]
        message = f"the node '{self._name}' refused {method} {path}: {_words(answer)} ({answer.status_code})"
        if answer.status_code > _GATEWAY:
            raise Unreachable(f"{message}; run again")
        raise Refused(message, answer.status_code)


class Place(Protocol):
    """Where a node is: its name, its API's address, and whether its certificate is checked."""

    @property
    def node(self) -> str: ...  # noqa: D102 - as above
    @property
    def endpoint(self) -> str: ...  # noqa: D102
    @property
    def verify_tls(self) -> bool: ...  # noqa: D102


def log_in(place: Place) -> NodeApi:
    """Log in as ``root@pam`` with the password from the environment. Raises as :meth:`NodeApi.log_in`."""
    password = root_password(place.node)
    http = httpx.Client(base_url=place.endpoint, verify=place.verify_tls, timeout=TIMEOUT)
    return NodeApi.log_in(place.node, http, ROOT, password)


def _words(answer: httpx.Response) -> str:
    """Proxmox VE's own message, with the fields it speaks of."""
    try:
        document = answer.json()
    except ValueError:
        return answer.reason_phrase
    fields = "; ".join(f"{name}: {text}" for name, text in (document.get("errors") or {}).items())
    return " ".join(filter(None, (str(document.get("message") or answer.reason_phrase).strip(), fields)))
