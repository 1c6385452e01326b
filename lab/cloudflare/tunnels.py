"""Tunnels of an account, and what each sends where."""

import base64
import json
import secrets
import uuid
from typing import Any

from lab.cloudflare.errors import ApiError, stamp

Item = dict[str, Any]


class Tunnels:
    """All tunnels of one account. A deleted one stays to be seen, with the time of its end."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._tunnels: dict[str, Item] = {}
        self._secrets: dict[str, str] = {}
        self._configurations: dict[str, Item] = {}

    def all(self) -> list[Item]:
        """Every tunnel that there is or was."""
        return list(self._tunnels.values())

    def get(self, tunnel_id: str) -> Item:
        """One tunnel, deleted or not; :class:`ApiError` if there never was one."""
        if tunnel_id not in self._tunnels:
            raise ApiError(404, 1002, "Tunnel not found")
        return self._tunnels[tunnel_id]

    def create(self, given: Item) -> Item:
        """Add a tunnel; the answer, and no later one, holds its secret."""
        name = given.get("name")
        if not name:
            raise ApiError(400, 1001, "Tunnel name is required")
        self._check_name(name)
        tunnel_id = str(uuid.uuid4())
        self._secrets[tunnel_id] = given.get("tunnel_secret") or base64.b64encode(secrets.token_bytes(32)).decode()
        source = given.get("config_src") or "local"
        self._tunnels[tunnel_id] = {
            "id": tunnel_id,
            "account_tag": self._account_id,
            "created_at": stamp(),
            "deleted_at": None,
            "name": name,
            "connections": [],
            "conns_active_at": None,
            "conns_inactive_at": stamp(),
            "tun_type": "cfd_tunnel",
            "metadata": {},
            "status": "inactive",
            "remote_config": source == "cloudflare",
            "config_src": source,
        }
        credentials = {"AccountTag": self._account_id, "TunnelID": tunnel_id, "TunnelSecret": self._secrets[tunnel_id]}
        return {**self._tunnels[tunnel_id], "credentials_file": credentials, "token": self.token(tunnel_id)}

    def change(self, tunnel_id: str, given: Item) -> Item:
        """Rename a tunnel, or give it another secret."""
        tunnel = self._living(tunnel_id)
        if given.get("name") and given["name"] != tunnel["name"]:
            self._check_name(given["name"])
            tunnel["name"] = given["name"]
        if given.get("tunnel_secret"):
            self._secrets[tunnel_id] = given["tunnel_secret"]
        return tunnel

    def delete(self, tunnel_id: str) -> Item:
        """End a tunnel."""
        tunnel = self._living(tunnel_id)
        tunnel["deleted_at"] = stamp()
        self._configurations.pop(tunnel_id, None)
        return tunnel

    def token(self, tunnel_id: str) -> str:
        """What a connector is started with."""
        self._living(tunnel_id)
        parts = {"a": self._account_id, "t": tunnel_id, "s": self._secrets[tunnel_id]}
        return base64.b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode()

    def configuration(self, tunnel_id: str) -> Item:
        """Where the tunnel sends what; empty before it was told."""
        self._living(tunnel_id)
        nothing = {"config": None, "version": 0, "created_at": stamp()}
        return {
            "account_id": self._account_id,
            "tunnel_id": tunnel_id,
            "source": "cloudflare",
            **self._configurations.get(tunnel_id, nothing),
        }

    def configure(self, tunnel_id: str, given: Item) -> Item:
        """Tell the tunnel where to send what."""
        tunnel = self._living(tunnel_id)
        if tunnel["config_src"] != "cloudflare":
            raise ApiError(400, 1056, "Bad Configuration: the tunnel is configured locally")
        config = given.get("config") or {}
        rules = config.get("ingress") or []
        if not rules or rules[-1].get("hostname") or rules[-1].get("path"):
            message = (
                "Bad Configuration: The last ingress rule must match all URLs (i.e. it should not have a hostname)"
            )
            raise ApiError(400, 1056, message)
        if not all(rule.get("service") for rule in rules):
            raise ApiError(400, 1056, "Bad Configuration: an ingress rule needs a service")
        version = self.configuration(tunnel_id)["version"] + 1
        kept = {**config, "warp-routing": config.get("warp-routing", {"enabled": False})}
        self._configurations[tunnel_id] = {"config": kept, "version": version, "created_at": stamp()}
        return self.configuration(tunnel_id)

    def _living(self, tunnel_id: str) -> Item:
        tunnel = self.get(tunnel_id)
        if tunnel["deleted_at"] is not None:
            raise ApiError(404, 1003, "Tunnel was deleted")
        return tunnel

    def _check_name(self, name: str) -> None:
        if any(item["name"] == name and item["deleted_at"] is None for item in self.all()):
            message = (
                "You already have a tunnel with this name. Delete the existing tunnel, or choose a different name for "
                "your new tunnel"
            )
            raise ApiError(409, 1013, message)
