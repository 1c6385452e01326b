"""Brings the rows of the estate to what a document says. Estate documents and stacks' reports both go through here."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.db.base import Base
from api.dns.models import DnsZone
from api.errors import InvalidInput
from api.inventory.credentials import deposited
from api.inventory.models import Node, NodeClass, NodeState, Site
from api.inventory.node_contents import write_storages, write_templates
from api.inventory.platform_models import Network, PlatformHost, PoolServer
from api.ipam.models import AddressPool
from api.ipam.pools import add_pool
from components.specs.platform import (
    HostReport,
    NetworkReport,
    NodeReport,
    PoolReport,
    ServerReport,
    SiteReport,
    ZoneReport,
)

_Row = TypeVar("_Row", bound=Base)


class EstateWriter:
    """Writes one document's entries, sites first; flushes, and leaves the commit to the edge.

    Args:
        session: within a transaction that has ``lock_estate``, and ``lock_nodes`` for each node to be written.
        sites: those that the entries may be at; any that there is, if None.
    """

    def __init__(self, session: Session, sites: Collection[str] | None = None) -> None:
        self._session = session
        self._known_sites = sites

    def site(self, entry: SiteReport) -> None:
        """Write a site."""
        nameservers = [str(server) for server in entry.nameservers]
        self._put(Site, {"slug": entry.slug}, {"name": entry.name, "nameservers": nameservers})

    def node(self, entry: NodeReport, *, sealed_token: bytes | None = None, is_whole: bool) -> None:
        """Write a node; without a credential, given or deposited, it waits for one.

        Args:
            entry: what it is.
            sealed_token: its credential, where the document brings it.
            is_whole: whether ``entry`` is all there is to know: then templates that it lacks go, and a node that was
                retired is taken into use again.

        Raises:
            InvalidInput: if its site or a template is unknown, or it would have less than is sold on it.
        """
        values = {"site_id": self._site_id(entry.site, f"node '{entry.name}'"), **_columns(entry)}
        token = sealed_token or deposited(self._session, entry.name)
        node = self._session.scalars(select(Node).where(Node.name == entry.name)).one_or_none()
        if node is None:
            node = Node(id=uuid7(), name=entry.name, state=NodeState.PENDING, **values)
            self._session.add(node)
        else:
            _check_sold(node, entry)
            _set(node, values)
        if is_whole and node.state is NodeState.RETIRED:
            node.state = NodeState.PENDING
        if sealed_token is not None or node.api_token_encrypted is None:
            node.api_token_encrypted = token
        if node.state is NodeState.PENDING and node.api_token_encrypted is not None:
            node.state = NodeState.ACTIVE
        self._session.flush()
        write_templates(self._session, node, entry.templates, is_whole=is_whole)
        if is_whole:
            write_storages(self._session, node, entry.storages)

    def pool(self, entry: PoolReport) -> None:
        """Add an address pool.

        Raises:
            InvalidInput: as ``add_pool`` does, or if its site is unknown.
        """
        site_id = self._site_id(entry.site, f"pool '{entry.name}'")
        fields = {"family": entry.family, "cidr": entry.cidr, "gateway": entry.gateway}
        add_pool(self._session, AddressPool(id=uuid7(), name=entry.name, site_id=site_id, **fields))

    def zone(self, entry: ZoneReport) -> None:
        """Write a zone; one that holds workloads takes that from any other."""
        if entry.holds_workloads:
            others = update(DnsZone).where(DnsZone.name != entry.name, DnsZone.is_default)
            self._session.execute(others.values(is_default=False))
        values = {"provider_zone_id": entry.provider_zone_id, "is_default": entry.holds_workloads}
        self._put(DnsZone, {"name": entry.name}, values)

    def network(self, entry: NetworkReport) -> None:
        """Write a network of the address plan."""
        values = {"kind": entry.kind, "cidr": entry.cidr, "tag": entry.tag, "mtu": entry.mtu}
        self._put(Network, {"name": entry.name}, values)

    def server(self, entry: ServerReport) -> None:
        """Write a server of the bare-metal pool.

        Raises:
            InvalidInput: if its site is unknown, or its number is another server's.
        """
        site_id = self._site_id(entry.site, f"server '{entry.name}'")
        others = select(PoolServer.name).where(PoolServer.number == entry.number, PoolServer.name != entry.name)
        other = self._session.scalars(others).first()
        if other is not None:
            raise InvalidInput(f"server '{entry.name}': 'number' {entry.number} is that of the server '{other}'")
        fields = entry.model_dump(include={"number", "product", "datacenter", "address", "network"})
        self._put(PoolServer, {"name": entry.name}, {"site_id": site_id, **fields})

    def host(self, entry: HostReport) -> None:
        """Write a machine that is watched."""
        self._put(PlatformHost, {"name": entry.name}, entry.model_dump(include={"role", "address", "exporters"}))

    def _site_id(self, slug: str, what: str) -> UUID:
        if self._known_sites is not None and slug not in self._known_sites:
            raise InvalidInput(f"{what} is at site '{slug}', which the document does not describe")
        found = self._session.scalar(select(Site.id).where(Site.slug == slug))
        if found is None:
            raise InvalidInput(f"{what} is at site '{slug}', which no stack has told of: bring up the one that has it")
        return found

    def _put(self, model: type[_Row], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        row = self._session.scalars(select(model).filter_by(**key)).one_or_none()
        if row is None:
            self._session.add(model(id=uuid7(), **key, **values))
        else:
            _set(row, values)
        self._session.flush()


def _set(row: Base, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _columns(entry: NodeReport) -> dict[str, Any]:
    return {
        "node_class": NodeClass(entry.workload_class),
        "endpoint": entry.endpoint,
        "verify_tls": entry.verify_tls,
        "storage": entry.storage,
        "bridge": entry.bridge,
        "total_cores": entry.sellable_cores,
        "total_memory_mib": entry.sellable_memory_mib,
        "total_disk_gib": entry.sellable_disk_gib,
        "server_number": entry.server_number,
    }


def _check_sold(node: Node, entry: NodeReport) -> None:
    """Refuse to shrink a node below what is sold on it."""
    for name, sold, sellable in (
        ("cores", node.used_cores, entry.sellable_cores),
        ("memory_mib", node.used_memory_mib, entry.sellable_memory_mib),
        ("disk_gib", node.used_disk_gib, entry.sellable_disk_gib),
    ):
        if sold > sellable:
            raise InvalidInput(
                f"node '{entry.name}': '{name}' leaves {sellable} to sell, but {sold} are sold already", field=name
            )
