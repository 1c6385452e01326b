"""What the estate is at a moment: held against what it is after an import, it tells the audit trail what changed."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.dns.models import DnsZone
from api.inventory.models import Node, NodeTemplate, Site
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
)


def estate_facts(session: Session, vault: Vault) -> dict[str, dict[str, Any]]:
    """Return what is known of each site, node, pool and zone, by its kind and name.

    Credentials are in clear, so that a new one is told from the old: the audit trail masks them by their name.
    """
    return {**dict(_sites(session)), **dict(_nodes(session, vault)), **dict(_networks(session))}


def _sites(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in session.execute(select(Site.slug, Site.name, Site.nameservers)):
        yield f"site {row.slug}", {"name": row.name, "nameservers": row.nameservers}


def _nodes(session: Session, vault: Vault) -> Iterator[tuple[str, dict[str, Any]]]:
    templates: dict[str, dict[str, str]] = {}
    for name, slug, version, source in session.execute(
        select(Node.name, Template.slug, TemplateVersion.version, NodeTemplate.source)
        .join(NodeTemplate, NodeTemplate.node_id == Node.id)
        .join(TemplateVersion, TemplateVersion.id == NodeTemplate.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
    ):
        templates.setdefault(name, {})[f"{slug} {version}"] = source
    query = select(Node.name, Site.slug, Node.api_token_encrypted, *_NODE).join(Site, Site.id == Node.site_id)
    for row in session.execute(query):
        facts = {column.key: getattr(row, column.key) for column in _NODE}
        facts |= {"site": row.slug, "api_token": _opened(vault, row.api_token_encrypted)}
        yield f"node {row.name}", {**facts, "templates": templates.get(row.name, {})}


def _networks(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    for pool in session.execute(select(AddressPool.name, AddressPool.cidr, AddressPool.gateway)):
        yield f"pool {pool.name}", {"cidr": str(pool.cidr), "gateway": str(pool.gateway)}
    for zone in session.execute(select(DnsZone.name, DnsZone.provider_zone_id, DnsZone.is_default)):
        yield f"zone {zone.name}", {"provider_zone_id": zone.provider_zone_id, "is_default": zone.is_default}


def _opened(vault: Vault, sealed: bytes) -> str | None:
    """Return a credential; None if it was sealed under a key that is gone, which an import puts right."""
    try:
        return vault.open(sealed)
    except ValueError:
        return None
