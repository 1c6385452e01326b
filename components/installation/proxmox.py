"""Whether a machine is a Proxmox VE node already, and whether somebody lives on it. Every call blocks."""

from enum import StrEnum
from typing import Any

import httpx

from components.installation.errors import InstallationError

TIMEOUT = 10.0


class Seen(StrEnum):
    """What answers at Proxmox VE's port."""

    NOTHING = "nothing"
    PROXMOX = "proxmox"
    SOMETHING = "something"
    """An answer, but none of Proxmox VE's: a machine in use, or a node that is broken."""


class ProxmoxNode:
    """A node by its address (``https://…:8006``). Its certificate is its own, so it is not checked."""

    def __init__(self, endpoint: str, transport: httpx.BaseTransport | None = None) -> None:
        self.endpoint = endpoint
        self._transport = transport

    def look(self) -> Seen:
        """Ask for the version, without a login: Proxmox VE refuses that with 401."""
        try:
            with self._client() as client:
                answer = client.get("/version")
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Seen.NOTHING
        except httpx.TransportError:
            return Seen.SOMETHING
        return Seen.PROXMOX if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.OK} else Seen.SOMETHING

    def guests(self, password: str) -> list[str]:
        """Return the guests on the node that are not templates, such as ``qemu/101 web``.

        Raises:
            InstallationError: it cannot be told; so somebody may live there.
        """
        try:
            with self._client() as client:
                login = {"username": "root@pam", "password": password}
                ticket = _data(client.post("/access/ticket", data=login))["ticket"]
                client.cookies.set("PVEAuthCookie", ticket)
                names = [item["node"] for item in _data(client.get("/nodes"))]
                found = [
                    (kind, item)
                    for name in names
                    for kind in ("qemu", "lxc")
                    for item in _data(client.get(f"/nodes/{name}/{kind}"))
                ]
        except (httpx.HTTPError, KeyError, ValueError) as error:
            problem = f"{self.endpoint} does not say which guests it has ({type(error).__name__})"
            raise InstallationError(f"{problem}; it is not installed anew while that cannot be told") from None
        return [
            f"{kind}/{item['vmid']} {item.get('name', '')}".strip() for kind, item in found if not item.get("template")
        ]

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.endpoint.rstrip('/')}/api2/json",
            timeout=TIMEOUT,
            verify=False,  # noqa: S501 - a node signs its own certificate until the nodes stack has given it another
            transport=self._transport,
        )


def _data(answer: httpx.Response) -> Any:
    return answer.raise_for_status().json()["data"]
