"""A node's token at the backup server, and the storage on the node that uses it. The token's secret is kept nowhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from components.pbs.client import Pbs
from components.pbs.errors import PbsRefused
from components.specs.pbs import BackupTargetSpec

USER = "nodes@pbs"
"""Who the nodes' tokens belong to. A token may do no more than its user, and no more than it is given itself."""
ROLE = "DatastoreBackup"
"""Write backups, and read and prune one's own; not those of other nodes, nor anything else."""
_GONE = 404


class NodeStorages(Protocol):
    """The storages of one node."""

    def get(self, name: str) -> Mapping[str, Any] | None:
        """Return a storage's configuration, None if there is no such one."""

    def replace(self, name: str, settings: Mapping[str, Any], password: str) -> None:
        """Have a storage of the type ``pbs`` with exactly these settings and this password."""

    def remove(self, name: str) -> None:
        """Have no such storage; what is on it stays."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Brings targets to a wanted form; every call blocks.

    Attributes:
        storages: finds the node's storages from its endpoint and whether its certificate is verified.
    """

    pbs: Pbs
    storages: Callable[[BackupTargetSpec], NodeStorages]

    def get(self, spec: BackupTargetSpec) -> dict[str, Any] | None:
        """Return what of a target is really there; None if the token or the storage is gone."""
        storage = self.storages(spec).get(spec.storage)
        if storage is None or not self._has_token(spec):
            return None
        return {name: storage.get(name) for name in _settings(spec)}

    def make(self, spec: BackupTargetSpec) -> None:
        """Make a new token, permit it its namespace, and hand it to the node.

        Safe to repeat: a token whose secret nobody knows any more is made anew.
        """
        with self.pbs.accounts:
            self._ensure_user()
            if self._has_token(spec):
                self.pbs.write("DELETE", _token_path(spec))
            secret = self.pbs.write("POST", _token_path(spec), {"comment": f"backups of {spec.node}"})["value"]
            for who in (USER, f"{USER}!{spec.node}"):
                self._permit(spec, who)
        self.storages(spec).replace(spec.storage, _settings(spec), secret)

    def remove(self, spec: BackupTargetSpec) -> None:
        """Take storage, token and permissions away, and the user with its last token. Backups stay."""
        self.storages(spec).remove(spec.storage)
        with self.pbs.accounts:
            if self._has_token(spec):
                self.pbs.write("DELETE", _token_path(spec))
            self._permit(spec, USER, takes=True)
            if not self._tokens():
                self._forget_user()

    def _ensure_user(self) -> None:
        if not self._has_user():
            self.pbs.write("POST", "/access/users", {"userid": USER, "comment": "the nodes' backup jobs"})

    def _forget_user(self) -> None:
        try:
            if self._has_user():
                self.pbs.write("DELETE", f"/access/users/{USER}")
        except PbsRefused as error:
            # Another process was quicker: it removes another node's target.
            if error.status != _GONE:
                raise

    def _has_user(self) -> bool:
        return any(item["userid"] == USER for item in self.pbs.get("/access/users"))

    def _tokens(self) -> list[str]:
        try:
            return [item["tokenid"] for item in self.pbs.get(f"/access/users/{USER}/token")]
        except PbsRefused as error:
            if error.status == _GONE:
                return []
            raise

    def _has_token(self, spec: BackupTargetSpec) -> bool:
        return self._has_user() and f"{USER}!{spec.node}" in self._tokens()

    def _permit(self, spec: BackupTargetSpec, who: str, *, takes: bool = False) -> None:
        path = f"/datastore/{spec.datastore}/{spec.namespace}"
        self.pbs.write("PUT", "/access/acl", {"path": path, "role": ROLE, "auth-id": who, "delete": takes})


def _token_path(spec: BackupTargetSpec) -> str:
    return f"/access/users/{USER}/token/{spec.node}"


def _settings(spec: BackupTargetSpec) -> dict[str, Any]:
    """The node's storage, by Proxmox VE's names."""
    return {
        "server": spec.server,
        "port": spec.port,
        "datastore": spec.datastore,
        "namespace": spec.namespace,
        "username": f"{USER}!{spec.node}",
        "fingerprint": spec.fingerprint,
        "content": "backup",
    }
