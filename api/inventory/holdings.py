"""What is held of a stack's report: each thing it told of, with what the rows say of it today."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.dns.models import DnsZone
from api.inventory.models import Node, NodeState, NodeTemplate, Site
from api.inventory.owners import KEYS
from api.inventory.platform_models import Network, NodeStorage, PlatformHost, PoolServer
from api.inventory.pool_machines import held_machines, machine_now
from api.ipam.models import AddressPool
from api.templates.models import Template, TemplateVersion
from components.specs.platform import NodeReport

Entry = Mapping[str, Any]


def held_report(session: Session, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report like ``told``: with the fields as they are now, and without what is there no more."""
    held = dict(told)
    for part, read in _READERS.items():
        if part not in told:  # by a release that knew of no such thing
            continue
        entries = told[part]
        rows = read(session) if entries else {}
        found = [entry for entry in entries if entry[KEYS[part]] in rows]
        held[part] = [{**entry, **_now(part, entry, rows[entry[KEYS[part]]])} for entry in found]
    return held


def _now(part: str, entry: Entry, row: Mapping[str, Any]) -> dict[str, Any]:
    match part:
        case "nodes":
            return _node_now(entry, row)
        case "machines":
            return machine_now(entry, row)
        case _:
            return dict(row)


def _node_now(entry: Entry, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a node may sell is held, not its hardware: that is as told for as long as it comes to the same."""
    told = NodeReport.model_validate(entry)
    sold = {name: value for name, value in row.items() if not name.startswith("total_")}
    if row["total_cores"] != told.sellable_cores:
        sold["cores"] = told.reserve_cores + round(row["total_cores"] / told.cpu_overcommit)
    if row["total_memory_mib"] != told.sellable_memory_mib:
        sold["memory_mib"] = told.reserve_memory_mib + row["total_memory_mib"]
    if row["total_disk_gib"] != told.sellable_disk_gib:
        sold["disk_gib"] = told.reserve_disk_gib + row["total_disk_gib"]
    for list_, key in (("templates", ("template", "version")), ("storages", ("name",))):
        sold[list_] = _in_order(row[list_], entry.get(list_, ()), key)
    return sold


def _in_order(found: Sequence[Entry], told: Sequence[Entry], key: Sequence[str]) -> list[Entry]:
    """Return what was found in the order in which it was told; what nobody told of comes last."""

    def named(entry: Entry) -> tuple[Any, ...]:
        return tuple(entry[part] for part in key)

    places = {named(entry): place for place, entry in enumerate(told)}
    return sorted(found, key=lambda entry: places.get(named(entry), len(places)))


def _sites(session: Session) -> dict[str, Entry]:
    return {site.slug: {"name": site.name, "nameservers": site.nameservers} for site in session.scalars(select(Site))}


def _nodes(session: Session) -> dict[str, Entry]:
    found: dict[str, dict[str, Any]] = {}
    query = select(Node, Site.slug).join(Site, Site.id == Node.site_id).where(Node.state != NodeState.RETIRED)
    for node, site in session.execute(query):
        fields = ("endpoint", "verify_tls", "storage", "bridge", "server_number")
        totals = ("total_cores", "total_memory_mib", "total_disk_gib")
        facts = {name: getattr(node, name) for name in (*fields, *totals)}
        lists: dict[str, Any] = {"templates": [], "storages": []}
        found[node.name] = {**facts, "site": site, "workload_class": node.node_class.value, **lists}
    templates = (
        select(Node.name, Template.slug, TemplateVersion.version, NodeTemplate.source)
        .join(NodeTemplate, NodeTemplate.node_id == Node.id)
        .join(TemplateVersion, TemplateVersion.id == NodeTemplate.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .order_by(Template.slug, TemplateVersion.version)
    )
    for name, slug, version, source in session.execute(templates):
        if name in found:
            found[name]["templates"].append({"template": slug, "version": version, "source": source})
    storages = select(Node.name, NodeStorage).join(NodeStorage, NodeStorage.node_id == Node.id)
    for name, storage in session.execute(storages.order_by(NodeStorage.name)):
        if name in found:
            entry = {"name": storage.name, "kind": storage.kind, "content": storage.content}
            found[name]["storages"].append(entry)
    return dict(found)


def _pools(session: Session) -> dict[str, Entry]:
    rows = session.execute(select(AddressPool, Site.slug).join(Site, Site.id == AddressPool.site_id))
    return {
        pool.name: {"site": site, "family": pool.family, "cidr": str(pool.cidr), "gateway": str(pool.gateway)}
        for pool, site in rows
    }


def _networks(session: Session) -> dict[str, Entry]:
    return {
        row.name: {
            "kind": row.kind.value,
            "cidr": None if row.cidr is None else str(row.cidr),
            "tag": row.tag,
            "mtu": row.mtu,
        }
        for row in session.scalars(select(Network))
    }


def _zones(session: Session) -> dict[str, Entry]:
    return {
        zone.name: {"provider_zone_id": zone.provider_zone_id, "holds_workloads": zone.is_default}
        for zone in session.scalars(select(DnsZone))
    }


def _servers(session: Session) -> dict[str, Entry]:
    fields = ("number", "product", "datacenter", "address", "network")
    rows = session.execute(select(PoolServer, Site.slug).join(Site, Site.id == PoolServer.site_id))
    return {server.name: {**{name: getattr(server, name) for name in fields}, "site": site} for server, site in rows}


def _hosts(session: Session) -> dict[str, Entry]:
    return {
        host.name: {"role": host.role, "address": host.address, "exporters": host.exporters}
        for host in session.scalars(select(PlatformHost))
    }


_READERS: Mapping[str, Callable[[Session], Mapping[str, Entry]]] = {
    "sites": _sites,
    "nodes": _nodes,
    "address_pools": _pools,
    "networks": _networks,
    "dns_zones": _zones,
    "servers": _servers,
    "machines": held_machines,
    "hosts": _hosts,
}
