"""One Proxmox VE node of the lab: fakepve with the corrections of this package, and its templates."""

import re
from typing import Any

from aiohttp import web
from fakepve import FakePve, PveError

from lab.estate import STORAGE, Node
from lab.faults.on_aiohttp import FaultGate
from lab.faults.rules import Fault, FaultKind, FaultTable
from lab.proxmox.access import Access
from lab.proxmox.answers import as_declared
from lab.proxmox.downloads import Downloads
from lab.proxmox.drives import DriveChanges
from lab.proxmox.firewall import FirewallAnswers
from lab.proxmox.guests import Guests
from lab.proxmox.installed import GIB, Installed
from lab.proxmox.lists import RepeatedKeys
from lab.proxmox.metrics import MetricServers
from lab.proxmox.sdn import SoftwareNetworks
from lab.proxmox.tasks import TaskFaults

API_PREFIX = "/api2/json"
QEMU_CONFIG = "/nodes/{node}/qemu/{vmid}/config"
LXC_CONFIG = "/nodes/{node}/lxc/{vmid}/config"
TEMPLATE_DISK_GIB = 3


def render_error(request: web.Request, fault: Fault) -> web.Response:
    """A fault as Proxmox VE words it: the reason phrase repeats the message, ``data`` is null."""
    message = fault.message
    if fault.kind is FaultKind.LOCK:
        guest = re.search(r"/(qemu|lxc)/(\d+)", request.path)
        kind, vmid = guest.groups() if guest else ("qemu", "0")
        lock = f"qemu-server/lock-{vmid}.conf" if kind == "qemu" else f"lxc/pve-config-{vmid}.lock"
        message = f"can't lock file '/var/lock/{lock}' - got timeout"
    status = 500 if fault.kind is FaultKind.LOCK else fault.status
    body = {"data": None, "message": f"{message}\n"}
    return web.json_response(body, status=status, reason=message.splitlines()[0][:200])


class LabNode(
    Guests,
    Downloads,
    DriveChanges,
    FirewallAnswers,
    Access,
    MetricServers,
    SoftwareNetworks,
    RepeatedKeys,
    TaskFaults,
    Installed,
    FakePve,  # type: ignore[misc] # fakepve ships no type information
):
    """A node named after the lab's node, reachable with one API token or as ``root@pam`` by password."""

    def __init__(  # noqa: PLR0913 - the node, who may enter, and how it is played
        self,
        node: Node,
        api_token: str,
        password: str,
        faults: FaultTable,
        port: int,
        *,
        bare: bool = False,
    ) -> None:
        super().__init__(user="root@pam", password=password, host="127.0.0.1", port=port)
        self.bare = bare
        self.host_name = node.name
        self.hardware = node.hardware
        self.faults = faults
        self.nodes = {node.name: {"online": True}}
        self.operator, _, self.operators_secret = api_token.partition("=")
        self._templates = node.templates
        self.reset()

    def reset(self) -> None:
        """Forget everything, tasks and requests included, and start anew.

        A bare node is as freshly installed. Any other has what a platform stack would have made on it: the storage for
        guests, and the templates of its class.
        """
        for kept in (self.tasklog, self.requests, self.tasks):
            kept.clear()
        self.as_installed()
        if not self.bare:
            self._furnish()

    def _furnish(self) -> None:
        """The storage for guests and the templates of the node's class."""
        self.storages[STORAGE] = {
            "type": "lvmthin",
            "active": 1,
            "content": "images,rootdir",
            "vgname": "pve",
            "thinpool": "data",
            "files": set(),
            "volumes": {},
            "avail": self.hardware.disk_gib * GIB,
        }
        for template in self._templates:
            if template.is_virtual_machine:
                self._add_vm_template(int(template.source), template.slug)
            else:
                self.store_file("local", template.source.rpartition("/")[2], 400 * 1024**2, content="vztmpl")

    async def _sc_create(self, v: dict[str, Any], user: str) -> Any:
        """A new storage has the node's disk behind it; fakepve's would have no end."""
        answer = await super()._sc_create(v, user)
        self.storages[v["storage"]]["avail"] = self.hardware.disk_gib * GIB
        return answer

    def _add_vm_template(self, vmid: int, name: str) -> None:
        """A cloud image turned into a template, with the base volume that linked clones need."""
        disk = f"base-{vmid}-disk-0"
        size = TEMPLATE_DISK_GIB * GIB
        volume = {"content": "images", "format": "raw", "size": size, "vmid": vmid, "ctime": 0}
        self.storages[STORAGE].setdefault("volumes", {})[disk] = volume
        config = {
            "agent": "enabled=1",
            "boot": "order=scsi0",
            "cores": 1,
            "memory": 1024,
            "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
            "ostype": "l26",
            "scsi0": f"{STORAGE}:{disk},size={TEMPLATE_DISK_GIB}G",
            "scsihw": "virtio-scsi-pci",
            "serial0": "socket",
            "smbios1": "uuid=00000000-0000-4000-8000-000000000000",
            "template": 1,
            "vga": "serial0",
        }
        self.add_vm(vmid, name.replace(".", "-"), node=self.host_name, config=config, template=True)

    def _build_app(self) -> web.Application:
        app: web.Application = super()._build_app()
        gate = FaultGate(self.faults, render_error, where=self.host_name, prefix=API_PREFIX)
        app.middlewares.insert(0, gate.middleware())
        return app

    def _register_stateful(self, router: web.UrlDispatcher, prefixes: tuple[str, ...]) -> None:
        """Serve every path with a trailing slash too.

        The provider sends ``DELETE …/qemu/200/?purge=1``. fakepve has no such route, its catch-all answers
        with a task that does nothing, and the provider waits for the guest's absence for ever.
        """
        super()._register_stateful(router, prefixes)
        for route in list(router.routes()):
            path = route.resource.canonical if route.resource is not None else "/"
            pattern = route.resource.get_info().get("formatter", path) if route.resource is not None else path
            if route.method != "HEAD" and not pattern.endswith("/"):
                router.add_route(route.method, f"{pattern}/", route.handler)

    async def _config_get(self, request: web.Request) -> web.Response:
        """The configuration with pending changes applied; ``current=1`` asks for the running one.

        fakepve answers the running one always, and a resize of a running machine would look undone.
        """
        vm = self._vm(request, "VM.Audit")
        pending = {} if request.query.get("current") in {"1", "true"} else vm.pending
        merged = {key: value for key, value in {**vm.config, **pending}.items() if value is not None}
        data = as_declared(QEMU_CONFIG, merged)
        return web.json_response({"data": {**data, "digest": vm.digest()}})

    async def _lxc_config_get(self, user: str, v: dict[str, Any]) -> dict[str, Any]:
        return as_declared(LXC_CONFIG, await super()._lxc_config_get(user, v))

    def _node_stats(self, online: bool) -> dict[str, Any]:  # noqa: FBT001 - fakepve's own signature
        """The node's size and use, for placement: fakepve's nodes all have 4 cores and 8 GiB."""
        if not online:
            return {}
        running = [self._vm_usage(vm) for vm in self.vms if vm.status == "running"]
        running += [self._status(ct) for ct in self.cts if ct.status == "running"]
        return {
            "cpu": 0.02,
            "maxcpu": self.hardware.cores,
            "mem": sum(guest["mem"] for guest in running),
            "maxmem": self.hardware.memory_mib * 1024**2,
            "disk": 4 * GIB,
            "maxdisk": 64 * GIB,
            "uptime": 3600,
        }

    def find(self, node: str, vmid: Any) -> Any:
        """The virtual machine, or Proxmox VE's error; a path that is no number is its error too."""
        if not str(vmid).isdigit():
            raise PveError(400, "Parameter verification failed.", {"vmid": "type check ('integer') failed"})
        return super().find(node, vmid)
