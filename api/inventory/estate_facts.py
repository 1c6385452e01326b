"""What the estate is at a moment: held against what it is after an import, it tells the audit trail what changed."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.dns.models import DnsZone
from api.inventory.models import Node, NodeTemplate, Site
from api.inventory.platform_models import Network, NodeStorage, PlatformHost, PoolServer
from api.inventory.pool_machines import held_machines
from api.ipam.models import AddressPool
from api.templates.models import Template, TemplateVersion
from api.vault import Vault

_NODE = (
    Node.node_class,
    Node.state,
    Node.endpoint,
    Node.verify_tls,
    Node.storage,
    Node.bridge,
    Node.total_cores,
    Node.total_memory_mib,
    Node.total_disk_gib,
    Node.server_number,
)


def estate_facts(session: Session, vault: Vault | None = None) -> dict[str, dict[str, Any]]:
    """Return what is known of each thing of the estate, by its kind and name.

    Args:
        session: within a transaction.
        vault: opens credentials, so that a new one is told from the old; the audit trail masks them by their name.
            Without it the facts hold none.
    """
    nodes = dict(_nodes(session))
    if vault is not None:
        for name, sealed in session.execute(select(Node.name, Node.api_token_encrypted)):
            nodes[f"node {name}"]["api_token"] = None if sealed is None else _opened(vault, sealed)
    return {**dict(_sites(session)), **nodes, **dict(_networks(session)), **dict(_platform(session))}


def _sites(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in session.execute(select(Site.slug, Site.name, Site.nameservers)):
        yield f"site {row.slug}", {"name": row.name, "nameservers": row.nameservers}


def _nodes(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    templates: dict[str, dict[str, str]] = {}
    for name, slug, version, source in session.execute(
        select(Node.name, Template.slug, TemplateVersion.version, NodeTemplate.source)
        .join(NodeTemplate, NodeTemplate.node_id == Node.id)
        .join(TemplateVersion, TemplateVersion.id == NodeTemplate.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
    ):
        templates.setdefault(name, {})[f"{slug} {version}"] = source
    storages: dict[str, dict[str, Any]] = {}
    held = select(Node.name.label("node"), NodeStorage).join(Node, Node.id == NodeStorage.node_id)
    for node, storage in session.execute(held):
        storages.setdefault(node, {})[storage.name] = {"kind": storage.kind, "content": storage.content}
    for row in session.execute(select(Node.name, Site.slug, *_NODE).join(Site, Site.id == Node.site_id)):
        facts = {column.key: getattr(row, column.key) for column in _NODE}
        contents = {"templates": templates.get(row.name, {}), "storages": storages.get(row.name, {})}
        yield f"node {row.name}", {**facts, "site": row.slug, **contents}


def _networks(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for pool in session.execute(select(AddressPool.name, AddressPool.cidr, AddressPool.gateway)):
        yield f"pool {pool.name}", {"cidr": str(pool.cidr), "gateway": str(pool.gateway)}
    for zone in session.execute(select(DnsZone.name, DnsZone.provider_zone_id, DnsZone.is_default)):
        yield f"zone {zone.name}", {"provider_zone_id": zone.provider_zone_id, "is_default": zone.is_default}


def _platform(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for network in session.scalars(select(Network)):
        cidr = None if network.cidr is None else str(network.cidr)
        yield f"network {network.name}", {"kind": network.kind, "cidr": cidr, "tag": network.tag, "mtu": network.mtu}
    for server, site in session.execute(select(PoolServer, Site.slug).join(Site, Site.id == PoolServer.site_id)):
        facts = {name: getattr(server, name) for name in ("number", "product", "datacenter", "address", "network")}
        yield f"server {server.name}", {**facts, "site": site}
    yield from _machines(session)
    for host in session.scalars(select(PlatformHost)):
        yield f"host {host.name}", {"role": host.role, "address": host.address, "exporters": host.exporters}


def _machines(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, held in held_machines(session).items():
        bmc = {f"bmc_{part}": value for part, value in held.pop("bmc").items()}
        yield f"machine {name}", {**held, **bmc}


def _opened(vault: Vault, sealed: bytes) -> str | None:
    """Return a credential; None if it was sealed under a key that is gone, which an import puts right."""
    try:
        return vault.open(sealed)
    except ValueError:
        return None
