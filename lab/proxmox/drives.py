"""Changes to a virtual machine's configuration that allocate, resize or free volumes.

fakepve's create and clone handle volumes, but its config update keeps drives as sent and its resize is a
generic answer that changes nothing. The provider does both on every clone: it adds a cloud-init drive
and network devices by config update and grows the disk by resize, then reads them back.
"""

import re
from typing import Any

from fakepve import FakePve
from fakepve.lxc import SIZE_UNITS, format_size, parse_size
from fakepve.model import DRIVE_PREFIXES, TaskError
from fakepve.qemu import DRIVE_KEY, join_drive, split_drive, volume_ref, with_mac
from fakepve.routing import die

NETWORK_KEY = re.compile(r"net\d+")
HOTPLUGGED = re.compile(r"(net|scsi|virtio)\d+")
"""What a running machine takes at once: Proxmox VE's default ``hotplug`` is ``network,disk,usb``."""


def unique_tags(text: str) -> str:
    """Tags as Proxmox VE keeps them: lower case, each once, sorted, joined by semicolons."""
    return ";".join(sorted({tag.lower() for tag in re.split(r"[;, ]+", text) if tag}))


def mac_of(network: str) -> str | None:
    """The hardware address in a ``netN`` value, or None."""
    found = re.search(r"([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})", network)
    return found.group(1) if found else None


class DriveChanges(FakePve):  # type: ignore[misc] # fakepve ships no type information
    """Config update and resize with volumes behind them."""

    async def _apply_config(self, vm: Any, user: str, p: dict[str, Any]) -> None:
        changes = {key: self._realised(vm, key, value) for key, value in p.items()}
        for key in filter(None, str(p.get("delete") or "").split(",")):
            self._release(vm, key)
        await super()._apply_config(vm, user, changes)
        for key in filter(HOTPLUGGED.fullmatch, list(vm.pending)):
            value = vm.pending.pop(key)
            if value is None:
                vm.config.pop(key, None)
            else:
                vm.config[key] = value

    def _realised(self, vm: Any, key: str, value: Any) -> Any:
        """The value that Proxmox VE would keep for a sent one."""
        text = str(value)
        if key == "tags":
            return unique_tags(text)
        if NETWORK_KEY.fullmatch(key):
            known = mac_of(str(vm.config.get(key, "")))
            if known and not mac_of(text):
                text = f"{text},macaddr={known}"
            return with_mac(text)
        if not DRIVE_KEY.match(key):
            return value
        volume, props = split_drive(text)
        if volume.endswith(":cloudinit"):
            return self._cloud_init_drive(vm.vmid, volume_ref(volume)[0], props)
        kept = split_drive(str(vm.config.get(key, "")))
        if kept[0] == volume and "size" in kept[1]:
            props = {**props, "size": kept[1]["size"]}  # the volume decides its size, not the request
            return join_drive(volume, props)
        return self._qm_new_drive(vm.vmid, key, text, None)[0]

    def _cloud_init_drive(self, vmid: int, storage: str, props: dict[str, str]) -> str:
        """Proxmox VE names the drive ``vm-ID-cloudinit`` and makes it anew where there is one already."""
        name = f"vm-{vmid}-cloudinit"
        volumes = self._store(storage).setdefault("volumes", {})
        volumes[name] = {"content": "images", "format": "raw", "size": 4 * 1024**2, "vmid": vmid, "ctime": 0}
        kept = {key: value for key, value in props.items() if key not in {"file", "format", "size"}}
        return str(join_drive(f"{storage}:{name}", {**kept, "media": "cdrom"}))

    def _release(self, vm: Any, key: str) -> None:
        """Free the cloud-init volume of a deleted drive; a deleted disk stays as ``unusedN`` until destroy."""
        volume = split_drive(str(vm.config.get(key, "")))[0]
        if not DRIVE_KEY.match(key) or not volume_ref(volume)[0]:
            return
        if volume.endswith("-cloudinit"):
            self._qm_free(volume)
        elif vm.status != "running":
            free = next(n for n in range(256) if f"unused{n}" not in vm.config)
            vm.config[f"unused{free}"] = volume

    def _routes_qemu_resize(self) -> list[tuple[str, str, Any]]:
        return [("PUT", "/nodes/{node}/qemu/{vmid}/resize", self._qm_resize)]

    async def _qm_resize(self, v: dict[str, Any], user: str) -> Any:
        """Grow a disk: ``size`` is absolute (``20G``) or relative (``+5G``). Shrinking is refused."""
        vm = self.find(v["node"], v["vmid"])
        key, text = v["disk"], str(v["size"])
        self._check_lock(vm)
        if key not in vm.config:
            raise die(f"disk '{key}' does not exist")

        async def body() -> None:
            volume, props = split_drive(vm.config[key])
            record = self._qm_volume(volume) or {}
            old = int(record.get("size") or parse_size(props.get("size", "0")) or 0)
            new = (old if text.startswith("+") else 0) + int(parse_size(text.lstrip("+")) or 0)
            if new < old:
                raise TaskError("shrinking disks is not supported")
            record["size"] = new
            vm.config[key] = join_drive(volume, {**props, "size": format_size(new)})

        return await self.task(vm.node, "resize", vm.vmid, user, body, vm=vm)

    @staticmethod
    def _vm_maxdisk(vm: Any) -> int:
        """Bytes of the first disk.

        fakepve reads a size without a unit as GiB; Proxmox VE means bytes, and 2**30 times too much does not
        fit the 64-bit integer that the provider reads.
        """
        for key in sorted(vm.config):
            value = str(vm.config[key])
            if key.startswith(DRIVE_PREFIXES) and key[-1].isdigit() and "media=cdrom" not in value:
                size = re.search(r"size=(\d+(?:\.\d+)?)([KMGT])?", value)
                if size:
                    return int(float(size.group(1)) * SIZE_UNITS.get(size.group(2) or "", 1))
        return 0
