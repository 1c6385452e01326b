"""Plans of workloads as the engine previews them, and the facts that fit; every argument replaces something."""

import dataclasses
import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from components.plans import PlanDocument, PlanStep, StepOp
from components.policy.context import NodeFacts, PolicyContext, Room
from components.policy.evaluate import evaluate
from components.policy.rule import Rule
from components.policy.shapes import ADDRESS_SET, CONTAINER, DNS_RECORD, FIREWALL_OPTIONS, FIREWALL_RULES, VM
from components.specs import BotSpec, CloudVmSpec, GameServerSpec, WorkloadKind, link_local_address
from tests.fakes.workload_specs import bot, cloud_vm

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
_CLASSES = {WorkloadKind.CLOUD_VM: "cloud", WorkloadKind.GAME_SERVER: "game", WorkloadKind.BOT: "bot"}
AnySpec = CloudVmSpec | GameServerSpec | BotSpec


def broken(rule: Rule, document: PlanDocument, context: PolicyContext) -> str | None:
    """Ask one rule; return its message, or None if the plan passes."""
    (result,) = evaluate(document, context, rules=(rule,))
    return None if result.passed else result.message


def step(token: str, inputs: Mapping[str, Any], op: StepOp = StepOp.CREATE, name: str = "workload") -> PlanStep:
    """Return one step."""
    return PlanStep(urn=f"urn:pulumi:w-test::slipway::{token}::{name}", type=token, op=op, inputs=inputs, name=name)


def plan(*steps: PlanStep) -> PlanDocument:
    """Return a plan of these steps."""
    return PlanDocument(steps=steps)


def vm_step(op: StepOp = StepOp.CREATE, spec: AnySpec | None = None, **inputs: Any) -> PlanStep:
    """Return a virtual machine's step; ``inputs`` replace its properties."""
    spec = spec or cloud_vm()
    fields = {
        "nodeName": spec.placement.node,
        "vmId": spec.placement.vmid,
        "tags": list(spec.tags),
        "clone": {"vmId": 9000, "datastoreId": "local-zfs", "full": True},
        "cpu": {"cores": spec.resources.cores, "sockets": 1},
        "memory": {"dedicated": spec.resources.memory_mib},
        "disks": [{"interface": "scsi0", "size": spec.resources.disk_gib}],
        "networkDevices": [{"bridge": "vmbr0", "macAddress": spec.network.mac, "firewall": True}],
        "initialization": {"ipConfigs": _ip_configs(spec)},
    }
    return step(VM, {**fields, **inputs}, op)


def container_step(op: StepOp = StepOp.CREATE, spec: AnySpec | None = None, **inputs: Any) -> PlanStep:
    """Return a container's step; ``inputs`` replace its properties."""
    spec = spec or bot()
    fields = {
        "nodeName": spec.placement.node,
        "vmId": spec.placement.vmid,
        "tags": list(spec.tags),
        "cpu": {"cores": spec.resources.cores},
        "memory": {"dedicated": spec.resources.memory_mib},
        "disk": {"size": spec.resources.disk_gib},
        "networkInterfaces": [{"bridge": "vmbr0", "macAddress": spec.network.mac, "firewall": True}],
        "initialization": {"ipConfigs": _ip_configs(spec)},
    }
    return step(CONTAINER, {**fields, **inputs}, op)


def options_step(op: StepOp = StepOp.CREATE, spec: AnySpec | None = None, **inputs: Any) -> PlanStep:
    """Return the step of a guest's firewall options."""
    fields = {
        **_guest(spec or cloud_vm()),
        "enabled": True,
        "macfilter": True,
        "ipfilter": True,
        "inputPolicy": "DROP",
        "dhcp": False,
        "radv": False,
    }
    return step(FIREWALL_OPTIONS, {**fields, **inputs}, op, "workload-firewall-options")


def set_step(op: StepOp = StepOp.CREATE, spec: AnySpec | None = None, **inputs: Any) -> PlanStep:
    """Return the step of the set of addresses that a guest may use."""
    spec = spec or cloud_vm()
    network = spec.network
    sources = (network.ipv4.address, network.ipv6.network, link_local_address(network.mac))
    fields = {**_guest(spec), "name": "ipfilter-net0", "cidrs": [{"name": str(source)} for source in sources]}
    return step(ADDRESS_SET, {**fields, **inputs}, op, "workload-firewall-addresses")


def record_step(op: StepOp = StepOp.CREATE, spec: AnySpec | None = None, **inputs: Any) -> PlanStep:
    """Return the step of a workload's A record."""
    spec = spec or cloud_vm()
    content = str(spec.network.ipv4.address)
    fields = {"name": spec.dns.fqdn, "type": "A", "content": content, "comment": f"order-{spec.order_id}"}
    return step(DNS_RECORD, {**fields, **inputs}, op, "workload-dns-a")


def whole_plan(op: StepOp = StepOp.CREATE, spec: AnySpec | None = None) -> PlanDocument:
    """Return a plan of a whole workload: guest, firewall and names."""
    spec = spec or cloud_vm()
    guest = vm_step if isinstance(spec, CloudVmSpec) else container_step
    rules = step(FIREWALL_RULES, {**_guest(spec), "rules": []}, op, "workload-firewall-rules")
    ipv6 = record_step(op, spec, type="AAAA", content=str(spec.network.ipv6.address))
    return plan(guest(op, spec), options_step(op, spec), set_step(op, spec), rules, record_step(op, spec), ipv6)


def facts(spec: AnySpec | None = None, **changes: Any) -> PolicyContext:
    """Return all facts around an ordinary order, with which its plan passes every rule."""
    spec = spec or cloud_vm()
    held = Room(**spec.resources.model_dump())
    node = NodeFacts(
        name=spec.placement.node,
        site="fsn",
        node_class=_CLASSES[spec.kind],
        total=Room(cores=64, memory_mib=65_536, disk_gib=1000),
        used=Room(cores=held.cores + 8, memory_mib=held.memory_mib + 8192, disk_gib=held.disk_gib + 100),
    )
    context = PolicyContext(
        now=NOW,
        kind=spec.kind,
        order_id=spec.order_id,
        node=node,
        held=held,
        pools=(ipaddress.ip_network("203.0.113.0/24"), ipaddress.ip_network("2001:db8::/48")),
        addresses=(ipaddress.ip_network(spec.network.ipv4.address), spec.network.ipv6.network),
        vmid=spec.placement.vmid,
        fqdn=spec.dns.fqdn,
        has_consent=False,
        holds_data=False,
        account_age=timedelta(hours=1),
        other_spend_cents=0,
        price_before_cents=0,
        price_after_cents=450,
    )
    return dataclasses.replace(context, **changes)


def _guest(spec: AnySpec) -> dict[str, Any]:
    kind = "vmId" if isinstance(spec, CloudVmSpec) else "containerId"
    return {"nodeName": spec.placement.node, kind: spec.placement.vmid}


def _ip_configs(spec: AnySpec) -> list[dict[str, Any]]:
    network = spec.network
    ipv4 = {"address": f"{network.ipv4.address}/{network.ipv4.prefix_length}", "gateway": str(network.ipv4.gateway)}
    ipv6 = {"address": f"{network.ipv6.address}/64", "gateway": str(network.ipv6.gateway)}
    return [{"ipv4": ipv4, "ipv6": ipv6}]
