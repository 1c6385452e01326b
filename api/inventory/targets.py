"""What Prometheus scrapes, in the form of its service discovery over HTTP."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.inventory.models import Node, NodeState, Site
from api.inventory.owners import entries_in
from api.inventory.platform_models import PlatformHost, PlatformStack, PoolServer
from components.specs.platform import parse_platform_stack

NODE_JOB = "pve"
"""Asks a node's own API, by way of prometheus-pve-exporter: the target is that API's address."""

Group = dict[str, Any]


def prometheus_targets(session: Session, job: str | None = None) -> list[Group]:
    """Return groups of ``targets`` and ``labels`` (prometheus.io/docs, "HTTP SD"), of one job if it is named.

    Labels are ``job``, ``role``, ``name``, and where they are known ``site``, ``class`` and ``estate``. What is retired
    is left out.
    """
    estates = _estates(session)
    groups = [*_nodes(session, estates), *_hosts(session, estates)]
    return [group for group in groups if job is None or group["labels"]["job"] == job]


def _nodes(session: Session, estates: Mapping[str, str]) -> Iterator[Group]:
    query = select(Node, Site.slug).join(Site, Site.id == Node.site_id).where(Node.state != NodeState.RETIRED)
    for node, site in session.execute(query.order_by(Node.name)):
        labels = {"site": site, "class": node.node_class.value, "estate": estates.get(f"nodes {node.name}")}
        yield _group(urlsplit(node.endpoint).netloc, job=NODE_JOB, role="node", name=node.name, **labels)


def _hosts(session: Session, estates: Mapping[str, str]) -> Iterator[Group]:
    nodes = session.execute(select(Node, Site.slug).join(Site, Site.id == Node.site_id))
    found = {node.name: (node, site) for node, site in nodes}
    servers = session.execute(select(PoolServer.name, Site.slug).join(Site, Site.id == PoolServer.site_id))
    sites = {row.name: row.slug for row in servers}
    for host in session.scalars(select(PlatformHost).order_by(PlatformHost.name)):
        node, site = found.get(host.name, (None, sites.get(host.name)))
        if node is not None and node.state is NodeState.RETIRED:
            continue
        class_ = None if node is None else node.node_class.value
        labels = {"site": site, "class": class_, "estate": estates.get(f"hosts {host.name}")}
        address = f"[{host.address}]" if ":" in host.address else host.address
        for job, port in sorted(host.exporters.items()):
            yield _group(f"{address}:{port}", job=job, role=host.role, name=host.name, **labels)


def _group(target: str, **labels: str | None) -> Group:
    return {"targets": [target], "labels": {name: value for name, value in labels.items() if value is not None}}


def _estates(session: Session) -> dict[str, str]:
    """By part and name of a thing: the estate of the stack that describes it."""
    found: dict[str, str] = {}
    for row in session.scalars(select(PlatformStack)):
        named = parse_platform_stack(row.stack)
        if named is not None:
            for part in ("nodes", "hosts"):
                found |= {f"{part} {name}": named[0] for name in entries_in(row.report, part)}
    return found
