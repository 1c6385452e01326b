"""The steps that the fake engine's previews tell: a guest and its DNS records, as the real program would make them."""

from collections.abc import Iterator, Mapping
from typing import Any

VM = "proxmoxve:index/vmLegacy:VmLegacy"
CONTAINER = "proxmoxve:index/containerLegacy:ContainerLegacy"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
THING = "hcloud:index/network:Network"

Spec = Mapping[str, Any]
Step = dict[str, Any]


def planned(stack: str, before: Spec | None, after: Spec | None) -> tuple[Step, ...]:
    """Return the steps from one spec to another; None stands for "nothing there"."""
    old, new = _resources(stack, before), _resources(stack, after)
    steps = []
    for urn in sorted(old.keys() | new.keys(), key=lambda urn: (urn.count("$"), urn)):
        was, will = old.get(urn), new.get(urn)
        told = will or was or {}
        changes = _changes(was["inputs"], will["inputs"]) if was and will else []
        op = "create" if was is None else "delete" if will is None else "update" if changes else "same"
        steps.append({**told, "op": op, "changes": changes})
    return tuple(steps)


def _resources(stack: str, spec: Spec | None) -> dict[str, Step]:
    if spec is None:
        return {}
    prefix = f"urn:pulumi:{stack}::slipway::slipway:compute:Workload"
    if "kind" not in spec or "placement" not in spec:
        return {f"{prefix}${THING}::thing": _resource(f"{prefix}${THING}::thing", THING, "thing", dict(spec))}
    kind = VM if spec["kind"] == "cloud_vm" else CONTAINER
    guest = _resource(f"{prefix}${kind}::workload", kind, spec["hostname"], _guest(spec))
    return {guest["urn"]: guest, **{record["urn"]: record for record in _records(prefix, spec)}}


def _guest(spec: Spec) -> dict[str, Any]:
    """Return the whole spec under the provider's names for what rules and words look at, so that no change is lost."""
    placement, resources = spec["placement"], spec["resources"]
    return {
        **{name: value for name, value in spec.items() if name not in {"placement", "resources"}},
        "nodeName": placement["node"],
        "vmId": placement["vmid"],
        "name": spec["hostname"],
        "cpu": {"cores": resources["cores"]},
        "memory": {"dedicated": resources["memory_mib"]},
        "disks": [{"interface": "scsi0", "size": resources["disk_gib"], "datastoreId": placement["storage"]}],
    }


def _records(prefix: str, spec: Spec) -> Iterator[Step]:
    if not spec.get("dns"):
        return
    name = f"{spec['dns']['label']}.{spec['dns']['zone_name']}"
    for kind, family in (("A", "ipv4"), ("AAAA", "ipv6")):
        address = (spec["network"].get(family) or {}).get("address")
        if address is not None:
            urn = f"{prefix}$slipway:network:DnsRecords${RECORD}::workload-dns-{kind.lower()}"
            yield _resource(urn, RECORD, name, {"name": name, "type": kind, "content": address})


def _resource(urn: str, kind: str, name: str, inputs: dict[str, Any]) -> Step:
    return {"urn": urn, "type": kind, "op": "same", "name": name, "inputs": inputs, "changes": []}


def _changes(before: Spec, after: Spec) -> list[dict[str, Any]]:
    mine, theirs = dict(_leaves(before)), dict(_leaves(after))
    changes = []
    for path in sorted(mine.keys() | theirs.keys()):
        if mine.get(path) != theirs.get(path):
            kind = "added" if path not in mine else "removed" if path not in theirs else "changed"
            changes.append({"path": path, "kind": kind, "before": mine.get(path), "after": theirs.get(path)})
    return changes


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and value:
        for index, part in enumerate(value):
            yield from _leaves(part, f"{path}[{index}]")
    elif value is not None:
        yield path, value
