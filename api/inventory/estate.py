"""The estate document: what hardware, addresses and zones there are. Platform engineering writes it, we import it."""

import ipaddress
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import OPERATOR_SHELL, Actor, AuditEntry, differences_of_things, record
from api.dns.models import DnsZone
from api.errors import InvalidInput
from api.inventory.estate_facts import estate_facts
from api.inventory.models import Node, NodeClass, NodeTemplate, Site
from api.ipam.models import AddressPool
from api.ipam.pools import add_pool
from api.templates.models import Template, TemplateVersion
from api.vault import Vault
from components.specs import BridgeName, StorageName, TemplateVolume, Vmid, WorkloadKind, ZoneId, ZoneName

_Slug = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
_VM_SOURCE: TypeAdapter[int] = TypeAdapter(Vmid)
_CONTAINER_SOURCE: TypeAdapter[str] = TypeAdapter(TemplateVolume)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteEntry(_Strict):
    """A data centre location, with the resolvers that its guests are given: a guest without one finds nothing."""

    slug: _Slug
    name: str
    nameservers: Annotated[tuple[IPvAnyAddress, ...], Field(min_length=1, max_length=3)]


class NodeTemplateEntry(_Strict):
    """Where a template version lies on a node: a VMID or a volume id."""

    template: str
    version: str
    source: str


class NodeEntry(_Strict):
    """A Proxmox VE node, its hardware, and what of it is kept for the host itself."""

    name: _Slug
    site: str
    workload_class: NodeClass
    endpoint: Annotated[str, Field(pattern=r"^https://")]
    api_token: SecretStr
    verify_tls: bool = True
    cores: Annotated[int, Field(ge=1)]
    memory_mib: Annotated[int, Field(ge=512)]
    disk_gib: Annotated[int, Field(ge=1)]
    reserve_cores: Annotated[int, Field(ge=0)] = 2
    reserve_memory_mib: Annotated[int, Field(ge=0)] = 4096
    reserve_disk_gib: Annotated[int, Field(ge=0)] = 50
    cpu_overcommit: Annotated[float, Field(ge=1, le=16)] = 1.0
    storage: StorageName
    bridge: BridgeName
    templates: tuple[NodeTemplateEntry, ...] = ()

    @property
    def sellable_cores(self) -> int:
        """Cores that may be sold: what the host leaves, times the overcommit."""
        return max(0, int((self.cores - self.reserve_cores) * self.cpu_overcommit))

    @property
    def sellable_memory_mib(self) -> int:
        """Memory that may be sold; memory is never overcommitted."""
        return max(0, self.memory_mib - self.reserve_memory_mib)

    @property
    def sellable_disk_gib(self) -> int:
        """Disk that may be sold."""
        return max(0, self.disk_gib - self.reserve_disk_gib)


class PoolEntry(_Strict):
    """A routed network that addresses are handed out of."""

    name: _Slug
    site: str
    family: Literal[4, 6]
    cidr: ipaddress.IPv4Network | ipaddress.IPv6Network
    gateway: IPvAnyAddress

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if not self.cidr.version == self.gateway.version == self.family:
            raise ValueError("'family', 'cidr' and 'gateway' must speak of one IP version")
        return self


class ZoneEntry(_Strict):
    """A DNS zone; the first one of the document is where workloads get their names."""

    name: ZoneName
    provider_zone_id: ZoneId


class EstateDocument(_Strict):
    """Everything that can be sold from."""

    sites: tuple[SiteEntry, ...]
    nodes: tuple[NodeEntry, ...]
    address_pools: tuple[PoolEntry, ...]
    dns_zones: tuple[ZoneEntry, ...]


class EstateImport:
    """Brings inventory, IPAM and DNS zones to what a document says; safe to repeat, removes nothing."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    def apply(self, document: EstateDocument, actor: Actor = OPERATOR_SHELL) -> None:
        """Import a document, and record what that changed, if anything.

        Raises:
            InvalidInput: if it names an unknown site or template version, overlaps an existing pool, changes one,
                or leaves a node less than is sold on it.
        """
        before = estate_facts(self._session, self._vault)
        self._import(document)
        diff = differences_of_things(before, estate_facts(self._session, self._vault))
        if diff:
            entry = AuditEntry(
                action="estate.import",
                actor=actor,
                subject_type="estate",
                subject_id="estate",
                reason=f"an estate document changed {len(diff)} things",
                diff=diff,
            )
            record(self._session, entry)

    def _import(self, document: EstateDocument) -> None:
        sites = {entry.slug: self._site(entry) for entry in document.sites}
        for node in document.nodes:
            self._node(node, sites)
        for pool in document.address_pools:
            site_id = _look_up(sites, pool.site, f"pool '{pool.name}'")
            add_pool(
                self._session,
                AddressPool(
                    id=uuid7(),
                    name=pool.name,
                    site_id=site_id,
                    family=pool.family,
                    cidr=pool.cidr,
                    gateway=pool.gateway,
                ),
            )
        if document.dns_zones:
            self._session.execute(update(DnsZone).values(is_default=False))
        for position, zone in enumerate(document.dns_zones):
            self._upsert(
                DnsZone, "name", name=zone.name, provider_zone_id=zone.provider_zone_id, is_default=position == 0
            )

    def _site(self, entry: SiteEntry) -> object:
        nameservers = [str(server) for server in entry.nameservers]
        return self._upsert(Site, "slug", slug=entry.slug, name=entry.name, nameservers=nameservers)

    def _node(self, entry: NodeEntry, sites: dict[str, object]) -> None:
        self._check_sold(entry)
        node_id = self._upsert(
            Node,
            "name",
            name=entry.name,
            site_id=_look_up(sites, entry.site, f"node '{entry.name}'"),
            node_class=entry.workload_class,
            endpoint=entry.endpoint,
            api_token_encrypted=self._vault.seal(entry.api_token.get_secret_value()),
            verify_tls=entry.verify_tls,
            storage=entry.storage,
            bridge=entry.bridge,
            total_cores=entry.sellable_cores,
            total_memory_mib=entry.sellable_memory_mib,
            total_disk_gib=entry.sellable_disk_gib,
        )
        for template in entry.templates:
            self._node_template(entry.name, node_id, template)

    def _check_sold(self, entry: NodeEntry) -> None:
        """Refuse to shrink a node below what is sold on it; locks it against orders meanwhile."""
        node = self._session.scalars(select(Node).where(Node.name == entry.name).with_for_update()).one_or_none()
        if node is None:
            return
        for name, sold, sellable in (
            ("cores", node.used_cores, entry.sellable_cores),
            ("memory_mib", node.used_memory_mib, entry.sellable_memory_mib),
            ("disk_gib", node.used_disk_gib, entry.sellable_disk_gib),
        ):
            if sold > sellable:
                raise InvalidInput(
                    f"node '{entry.name}': '{name}' leaves {sellable} to sell, but {sold} are sold already", field=name
                )

    def _node_template(self, node_name: str, node_id: object, entry: NodeTemplateEntry) -> None:
        row = self._session.execute(
            select(TemplateVersion.id, Template.kind)
            .join(Template, Template.id == TemplateVersion.template_id)
            .where(Template.slug == entry.template, TemplateVersion.version == entry.version)
        ).one_or_none()
        if row is None:
            raise InvalidInput(
                f"node '{node_name}' holds template '{entry.template}' version '{entry.version}', "
                "which the template registry does not know"
            )
        version_id, kind = row
        _check_source(node_name, kind, entry)
        statement = insert(NodeTemplate).values(node_id=node_id, template_version_id=version_id, source=entry.source)
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["node_id", "template_version_id"], set_={"source": entry.source}
            )
        )

    def _upsert(self, model: type[Site | Node | DnsZone], key: str, **values: object) -> object:
        statement = insert(model).values(id=uuid7(), **values).on_conflict_do_update(index_elements=[key], set_=values)
        return self._session.execute(statement.returning(model.id)).scalar_one()


def _check_source(node_name: str, kind: WorkloadKind, entry: NodeTemplateEntry) -> None:
    """Refuse here what would otherwise fail at the first order."""
    is_vm = kind is WorkloadKind.CLOUD_VM
    try:
        (_VM_SOURCE if is_vm else _CONTAINER_SOURCE).validate_python(entry.source)
    except ValidationError:
        wanted = "a VMID such as '9000'" if is_vm else "a volume such as 'local:vztmpl/name.tar.zst'"
        raise InvalidInput(
            f"node '{node_name}': 'source' of template '{entry.template}' must be {wanted}, not '{entry.source}'"
        ) from None


def _look_up(sites: dict[str, object], slug: str, what: str) -> object:
    if slug not in sites:
        raise InvalidInput(f"{what} is at site '{slug}', which the document does not describe")
    return sites[slug]
