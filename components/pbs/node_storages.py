"""The storages of a Proxmox VE node, through proxmoxer. Every call blocks."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from proxmoxer import ProxmoxAPI
from urllib3.exceptions import InsecureRequestWarning

from components.pbs.errors import PbsError
from components.specs.pbs import BackupTargetSpec
from components.specs.platform.base import credential_variable

TIMEOUT = 60
"""Seconds for one request: the node asks the backup server before it answers."""


class PveStorages:
    """Implements ``components.pbs.targets.NodeStorages`` on a node's own API."""

    def __init__(self, api: ProxmoxAPI) -> None:
        self._api = api

    def get(self, name: str) -> Mapping[str, Any] | None:
        """Return a storage's configuration, None if there is no such one."""
        found: list[dict[str, Any]] = self._api.storage.get()
        return next((item for item in found if item["storage"] == name), None)

    def replace(self, name: str, settings: Mapping[str, Any], password: str) -> None:
        """Have a storage of the type ``pbs`` with exactly these settings and this password."""
        self.remove(name)
        self._api.storage.post(storage=name, type="pbs", password=password, **settings)

    def remove(self, name: str) -> None:
        """Have no such storage; what is on it stays."""
        if self.get(name) is not None:
            self._api.storage(name).delete()


def storages_of(spec: BackupTargetSpec) -> PveStorages:
    """Log in to a node as ``root@pam`` with the password of the environment; one try.

    Raises:
        PbsError: if ``PROXMOX_VE_PASSWORD_<NODE>`` is not set.
    """
    variable = credential_variable("PROXMOX_VE_PASSWORD", spec.node)
    password = os.environ.get(variable)
    if not password:
        raise PbsError(f"set {variable} in the environment: the password of root@pam on '{spec.node}'")
    if not spec.verify_tls:
        urllib3.disable_warnings(InsecureRequestWarning)  # the operator has said so, once and for this node
    address = urlsplit(spec.node_endpoint)
    return PveStorages(
        ProxmoxAPI(
            address.hostname,
            port=address.port or 8006,
            user="root@pam",
            password=password,
            verify_ssl=spec.verify_tls,
            timeout=TIMEOUT,
        )
    )
