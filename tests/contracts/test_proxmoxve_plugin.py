"""The real ``proxmoxve`` plugin, driven by the real engine, meets the lab's nodes as it would Proxmox VE.

One program for each way in which guests are made; each is brought up, found unchanged (from the state and from
what is really there), changed in place, and taken down without a trace.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_proxmoxve as proxmox
import pytest
from pulumi import automation as auto
from pulumi.automation import events
from pulumi_proxmoxve import firewall

from automation.toolchain import Toolchain

if TYPE_CHECKING:
    from lab.client import RunningLab

pytestmark = pytest.mark.engine

Program = Callable[[], None]
VMID = 7001


def machine(*, cores: int = 2, disk: int = 10, full: bool = True, agent: bool = False) -> proxmox.VmLegacy:
    """A clone of the Debian template with everything that an order sets."""
    cloud_init = proxmox.VmLegacyInitializationArgs(
        datastore_id="local-lvm",
        interface="ide2",
        user_account=proxmox.VmLegacyInitializationUserAccountArgs(
            username="debian", keys=["ssh-ed25519 AAAAC3Nz a@b"]
        ),
        ip_configs=[
            proxmox.VmLegacyInitializationIpConfigArgs(
                ipv4=proxmox.VmLegacyInitializationIpConfigIpv4Args(address="203.0.113.5/25", gateway="203.0.113.1")
            )
        ],
    )
    return proxmox.VmLegacy(
        "vm",
        node_name="cloud-1",
        vm_id=VMID,
        name="contract",
        tags=["order-1", "slipway"],
        clone=proxmox.VmLegacyCloneArgs(vm_id=9000, full=full),
        cpu=proxmox.VmLegacyCpuArgs(cores=cores, type="x86-64-v2-AES"),
        memory=proxmox.VmLegacyMemoryArgs(dedicated=2048),
        disks=[proxmox.VmLegacyDiskArgs(interface="scsi0", datastore_id="local-lvm", size=disk)],
        network_devices=[proxmox.VmLegacyNetworkDeviceArgs(bridge="vmbr0", firewall=True)],
        initialization=cloud_init,
        agent=proxmox.VmLegacyAgentArgs(enabled=agent, timeout="20s"),
        reboot_after_update=False,
        stop_on_destroy=True,
        purge_on_destroy=True,
        delete_unreferenced_disks_on_destroy=True,
        # The provider declares a default for a disk's speed limits that it never reads back: a change for ever.
        opts=pulumi.ResourceOptions(ignore_changes=["disks[0].speed"]),
    )


def container(*, cores: int = 1) -> proxmox.ContainerLegacy:
    """A game server's container."""
    address = proxmox.ContainerLegacyInitializationIpConfigIpv4Args(address="203.0.113.6/25", gateway="203.0.113.1")
    return proxmox.ContainerLegacy(
        "ct",
        node_name="game-1",
        vm_id=VMID,
        tags=["order-2", "slipway"],
        unprivileged=True,
        operating_system=proxmox.ContainerLegacyOperatingSystemArgs(
            template_file_id="local:vztmpl/source-engine-1_amd64.tar.zst", type="debian"
        ),
        cpu=proxmox.ContainerLegacyCpuArgs(cores=cores),
        memory=proxmox.ContainerLegacyMemoryArgs(dedicated=1024, swap=0),
        disk=proxmox.ContainerLegacyDiskArgs(datastore_id="local-lvm", size=8),
        network_interfaces=[proxmox.ContainerLegacyNetworkInterfaceArgs(name="eth0", bridge="vmbr0", firewall=True)],
        initialization=proxmox.ContainerLegacyInitializationArgs(
            hostname="contract", ip_configs=[proxmox.ContainerLegacyInitializationIpConfigArgs(ipv4=address)]
        ),
        started=True,
    )


def firewalled() -> None:
    """A container with options, rules in an order that matters, and an anti-spoofing set."""
    guest = container()
    place: dict[str, Any] = {"node_name": guest.node_name, "container_id": guest.vm_id}
    entries = [firewall.IpsetLegacyCidrArgs(name=text) for text in ("203.0.113.6", "2001:db8:1000:6::/64")]
    addresses = firewall.IpsetLegacy("set", name="ipfilter-net0", cidrs=entries, **place)
    rules = [
        firewall.RulesLegacyRuleArgs(type="in", action="ACCEPT", proto="tcp", dport=port, comment=port)
        for port in ("22", "25565", "27015:27020")
    ]
    firewall.RulesLegacy("rules", rules=rules, opts=pulumi.ResourceOptions(depends_on=[addresses]), **place)
    firewall.OptionsLegacy("options", enabled=True, ipfilter=True, macfilter=True, input_policy="DROP", **place)


class Engine:
    """One stack on the real engine, its state in a folder."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        folder.mkdir()
        backend = f"file://{folder}"
        settings = auto.ProjectSettings("contract", "python", backend=auto.ProjectBackend(backend))
        variables = {**environment, "PULUMI_BACKEND_URL": backend, "PULUMI_CONFIG_PASSPHRASE": "of this test only"}
        workspace = auto.LocalWorkspace(work_dir=str(folder), project_settings=settings, env_vars=variables)
        self._stack = auto.Stack.create("contract", workspace)

    def up(self, program: Program) -> dict[str, int]:
        """Bring it up; the numbers of operations by kind."""
        changes = self._stack.up(program=program).summary.resource_changes or {}
        return {str(operation): count for operation, count in changes.items()}

    def pending(self, program: Program, *, refresh: bool) -> list[tuple[str, str, Any]]:
        """What a preview would do, against the state or against what is there: operation, type, difference."""
        steps: list[tuple[str, str, Any]] = []

        def note(event: events.EngineEvent) -> None:
            step = event.resource_pre_event.metadata if event.resource_pre_event else None
            if step is not None and step.op.value not in {"same", "refresh"}:
                steps.append((step.op.value, step.type, step.detailed_diff))

        self._stack.preview(program=program, refresh=refresh, on_event=note)
        return steps

    def destroy(self) -> None:
        """Take everything down."""
        self._stack.destroy()


def engine_for(node: str, lab: "RunningLab", toolchain: Toolchain, folder: Path) -> Engine:
    """An engine that may work on one node of the lab."""
    entry = next(item for item in lab.document.proxmox.nodes if item.name == node)
    access = {
        "PROXMOX_VE_ENDPOINT": entry.endpoint,
        "PROXMOX_VE_API_TOKEN": entry.api_token,
        "PROXMOX_VE_INSECURE": "true",
    }
    return Engine(folder / "stack", {**toolchain.environment(), **access})


def declared(make: Callable[..., object], **changes: Any) -> Program:
    """A program that makes one thing."""

    def program() -> None:
        make(**changes)

    return program


@pytest.mark.parametrize(
    ("node", "make", "before", "after"),
    [
        ("cloud-1", machine, {"full": True}, {"full": True, "cores": 4}),
        ("cloud-1", machine, {"full": False}, {"full": False, "cores": 1}),
        ("cloud-1", machine, {"agent": True}, {"agent": True, "disk": 12}),
        ("game-1", container, {}, {"cores": 2}),
    ],
    ids=["full clone", "linked clone", "guest agent", "container"],
)
def test_a_guest_comes_up_stays_the_same_changes_in_place_and_goes(  # noqa: PLR0913, PLR0917 - the cases' columns
    lab: "RunningLab",
    toolchain: Toolchain,
    tmp_path: Path,
    node: str,
    make: Callable[..., object],
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """Nothing of it is left on the node in the end."""
    engine = engine_for(node, lab, toolchain, tmp_path)
    engine.up(declared(make, **before))
    guest = lab.truth.guest(VMID)
    assert guest is not None
    assert guest.status == "running"
    assert engine.pending(declared(make, **before), refresh=False) == []
    assert engine.pending(declared(make, **before), refresh=True) == []
    assert engine.up(declared(make, **after)) == {"same": 1, "update": 1}
    assert engine.pending(declared(make, **after), refresh=True) == []
    engine.destroy()
    assert lab.truth.guests() == []
    assert lab.truth.volumes(node) == []


def test_a_firewall_comes_up_in_order_and_stays_the_same(
    lab: "RunningLab", toolchain: Toolchain, tmp_path: Path
) -> None:
    """Rules keep the order in which they were declared."""
    engine = engine_for("game-1", lab, toolchain, tmp_path)
    engine.up(firewalled)
    guest = lab.truth.guest(VMID)
    assert guest is not None
    found = lab.truth.firewall(guest)
    assert [rule["dport"] for rule in found["rules"]] == ["22", "25565", "27015:27020"]
    assert sorted(found["ipset"]["ipfilter-net0"]) == ["2001:db8:1000:6::/64", "203.0.113.6"]
    assert engine.pending(firewalled, refresh=False) == []
    assert engine.pending(firewalled, refresh=True) == []
    engine.destroy()
    assert lab.truth.guests() == []


def test_a_task_that_takes_seconds_is_waited_for(lab: "RunningLab", toolchain: Toolchain, tmp_path: Path) -> None:
    """Tasks in the background are polled until they end, on the way up and down."""
    lab.faults.proxmox.set_task_delay(1.5)
    engine = engine_for("cloud-1", lab, toolchain, tmp_path)
    engine.up(declared(machine))
    guest = lab.truth.guest(VMID)
    assert guest is not None
    assert guest.status == "running"
    engine.destroy()
    assert lab.truth.guests() == []
