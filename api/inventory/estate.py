"""The estate document: what hardware, addresses and zones there are, for who has no platform stacks to tell us."""

from pydantic import SecretStr
from sqlalchemy.orm import Session

from api.audit.trail import OPERATOR_SHELL, Actor, AuditEntry, differences_of_things, record
from api.inventory.estate_facts import estate_facts
from api.inventory.locks import lock_estate, lock_nodes
from api.inventory.owners import Owners
from api.inventory.writing import EstateWriter
from api.vault import Vault
from components.specs.network import Frozen
from components.specs.platform import NodeReport, PoolReport, SiteReport, ZoneReport


class NodeEntry(NodeReport):
    """A node as a stack reports it, and the credential for it, which is in no stack's report."""

    api_token: SecretStr


class EstateDocument(Frozen):
    """Everything that can be sold from. Workloads get their names in the first zone."""

    sites: tuple[SiteReport, ...]
    nodes: tuple[NodeEntry, ...]
    address_pools: tuple[PoolReport, ...]
    dns_zones: tuple[ZoneReport, ...]


class EstateImport:
    """Brings inventory, IPAM and DNS zones to what a document says; safe to repeat, removes nothing.

    What a platform stack describes is left to the stack.
    """

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    def apply(self, document: EstateDocument, actor: Actor = OPERATOR_SHELL) -> None:
        """Import a document, and record what that changed, if anything.

        Raises:
            InvalidInput: if it names an unknown site or template version, overlaps an existing pool, changes one,
                or leaves a node less than is sold on it.
        """
        lock_estate(self._session)
        before = estate_facts(self._session, self._vault)
        self._import(document, Owners(self._session))
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

    def _import(self, document: EstateDocument, owners: Owners) -> None:
        writer = EstateWriter(self._session, {site.slug for site in document.sites})
        lock_nodes(self._session, [node.name for node in document.nodes])
        for site in document.sites:
            if owners.of("sites", site.slug) is None:
                writer.site(site)
        for node in document.nodes:
            if owners.of("nodes", node.name) is None:
                token = self._vault.seal(node.api_token.get_secret_value())
                writer.node(node, sealed_token=token, is_whole=False)
        for pool in document.address_pools:
            if owners.of("address_pools", pool.name) is None:
                writer.pool(pool)
        may_choose = not owners.name_workloads()
        for position, zone in enumerate(document.dns_zones):
            if owners.of("dns_zones", zone.name) is None:
                writer.zone(zone.model_copy(update={"holds_workloads": may_choose and position == 0}))
