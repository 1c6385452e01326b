"""The physical floor: a bare script that makes the same guest with the same calls, and nothing else."""

import time
from typing import Any
from urllib.parse import quote

from proxmoxer import ProxmoxAPI
from proxmoxer.tools import Tasks

from lab.customer import made_up_key

_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 600


def make_virtual_machine(api: ProxmoxAPI, node: str, template: int, vmid: int) -> float:
    """Clone, configure, protect and start a virtual machine; returns the seconds it took."""
    started = time.perf_counter()
    here = api.nodes(node)
    _wait(api, here.qemu(template).clone.post(newid=vmid, full=1, name=f"floor-{vmid}", storage="local-lvm"))
    guest = here.qemu(vmid)
    guest.config.put(
        cores=1,
        memory=2048,
        cpu="x86-64-v2-AES",
        net0=f"virtio=02:53:00:0A:{vmid // 256 % 256:02X}:{vmid % 256:02X},bridge=vmbr0,firewall=1",
        ciuser="debian",
        sshkeys=quote(made_up_key(), safe=""),
        ipconfig0="ip=203.0.113.250/32,gw=203.0.113.1",
        tags="floor",
    )
    _wait(api, guest.resize.put(disk="scsi0", size="20G"))
    _protect(guest)
    _wait(api, guest.status.start.post())
    guest.status.current.get()
    return time.perf_counter() - started


def remove_virtual_machine(api: ProxmoxAPI, node: str, vmid: int) -> None:
    """Stop and delete a virtual machine."""
    guest = api.nodes(node).qemu(vmid)
    _wait(api, guest.status.stop.post())
    _wait(api, guest.delete(purge=1))


def _protect(guest: Any) -> None:
    guest.firewall.ipset.post(name="ipfilter-net0")
    for address in ("203.0.113.250", "2001:db8::/64", "fe80::53ff:fe00:a"):
        guest.firewall.ipset("ipfilter-net0").post(cidr=address)
    guest.firewall.options.put(enable=1, policy_in="DROP", macfilter=1, ipfilter=1)
    guest.firewall.rules.post(type="in", action="ACCEPT", proto="tcp", dport="22", enable=1)


def _wait(api: ProxmoxAPI, upid: Any) -> None:
    if isinstance(upid, str) and upid.startswith("UPID:"):
        status = Tasks.blocking_status(api, upid, timeout=_PATIENCE_SECONDS, polling_interval=_POLL_SECONDS)
        if status is None or status.get("exitstatus") != "OK":
            raise RuntimeError(f"a task of the floor failed: {status}")
