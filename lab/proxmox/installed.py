"""A node as the installer leaves it, and what of a node outlives a power cut.

Every subject that keeps something of its own (networks, users, jobs) extends these three methods by its own part and
calls ``super()``.
"""

from typing import Any

from fakepve import FakePve
from fakepve.firewall import empty_conf

GIB = 1024**3
LOCAL_GIB = 50
"""Room for container templates and images on the storage `local`."""


class Installed(FakePve):  # type: ignore[misc] # fakepve ships no type information
    """Guests, storages and firewalls of a node; the end of the chain."""

    def as_installed(self) -> None:
        """No guest, and one storage: `local`, for everything but guests' disks."""
        for kept in (self.vms, self.cts, self.storages):
            kept.clear()
        self._fw().update(cluster=empty_conf(), nodes={}, guests={})
        self.storages["local"] = {
            "type": "dir",
            "active": 1,
            "content": "iso,vztmpl,backup",
            "path": "/var/lib/vz",
            "files": set(),
            "volumes": {},
            "avail": LOCAL_GIB * GIB,
        }

    def remembered(self) -> dict[str, Any]:
        """What a node still has after a power cut; plain data by subject."""
        return {"vms": self.vms, "cts": self.cts, "storages": self.storages, "firewall": self._fw()}

    def remember(self, kept: dict[str, Any]) -> None:
        """Have again what an earlier run had; templates that this run has made stay as this run made them."""
        made = {vm.vmid for vm in self.vms}
        self.vms.extend(vm for vm in kept["vms"] if vm.vmid not in made)
        self.cts[:] = kept["cts"]
        self._fw().update(kept["firewall"])
        for name, earlier in kept["storages"].items():
            volumes = self.storages.get(name, {}).get("volumes", {})
            self.storages[name] = {**earlier, "volumes": {**earlier.get("volumes", {}), **volumes}}
