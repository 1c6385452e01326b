"""Takes away what is no longer there, if nobody needs it."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session

from api.audit.trail import Actor
from api.dns.models import DnsZone
from api.inventory.locks import lock_nodes
from api.inventory.models import Node, NodeState, NodeTemplate, Site
from api.inventory.platform_models import Network, NodeStorage, PlatformHost, PoolServer
from api.inventory.pool_machines import PoolMachines
from api.inventory.usage import (
    refuse_use,
    things_at_sites,
    users_of_machines,
    users_of_nodes,
    users_of_pools,
    users_of_zones,
)
from api.ipam.models import Address, AddressPool
from api.machines.models import Machine


class Withdrawal:
    """What a stack no longer describes, by part of its report.

    Used in three steps around the writing of what the stack does describe, for that may move things from a site that
    goes, or bring a pool in place of one that goes.

    Args:
        session: within a transaction that has ``lock_estate``.
        stack: for the refusal's sentence.
        names: of what goes, by part.
        actor: who tells it.
        kept_nodes: nodes that the stack still describes: locked here too, for there is one order of locks.
    """

    def __init__(
        self,
        session: Session,
        stack: str,
        names: Mapping[str, Collection[str]],
        actor: Actor,
        kept_nodes: Collection[str] = (),
    ) -> None:
        self._session = session
        self._stack = stack
        self._names = names
        self._actor = actor
        self._kept_nodes = kept_nodes

    def check(self) -> None:
        """Lock what goes against orders, and refuse if anybody needs it.

        Raises:
            StillInUse: with the list of workloads.
        """
        zones, pools = self._names.get("dns_zones", ()), self._names.get("address_pools", ())
        nodes, machines = self._names.get("nodes", ()), self._names.get("machines", ())
        self._lock(DnsZone, DnsZone.name.in_(zones))
        lock_nodes(self._session, {*nodes, *self._kept_nodes})
        self._lock(AddressPool, AddressPool.name.in_(pools))
        self._lock(Address, Address.pool_id.in_(select(AddressPool.id).where(AddressPool.name.in_(pools))))
        self._lock(Machine, Machine.name.in_(machines))
        users = [
            *users_of_nodes(self._session, nodes),
            *users_of_pools(self._session, pools),
            *users_of_zones(self._session, zones),
            *users_of_machines(self._session, machines),
        ]
        refuse_use(f"the stack '{self._stack}' takes away what is in use", users)

    def carry_out(self) -> None:
        """Take everything but sites away; nodes and machines are retired, and their rows stay."""
        named = self._names
        pools = select(AddressPool.id).where(AddressPool.name.in_(named.get("address_pools", ())))
        for model, condition in (
            (PlatformHost, PlatformHost.name.in_(named.get("hosts", ()))),
            (PoolServer, PoolServer.name.in_(named.get("servers", ()))),
            (Network, Network.name.in_(named.get("networks", ()))),
            (Address, Address.pool_id.in_(pools)),
            (AddressPool, AddressPool.name.in_(named.get("address_pools", ()))),
            (DnsZone, DnsZone.name.in_(named.get("dns_zones", ()))),
        ):
            self._session.execute(delete(model).where(condition))
        for node in lock_nodes(self._session, named.get("nodes", ())).values():
            retire(self._session, node)
        PoolMachines(self._session, self._actor).withdraw(named.get("machines", ()), self._stack)
        self._session.flush()

    def close_sites(self) -> None:
        """Take sites away; one that only retired nodes or machines were at stays, for their sake.

        Raises:
            StillInUse: if anything is at one.
        """
        slugs = self._names.get("sites", ())
        refuse_use(f"the stack '{self._stack}' takes away a site", (), things_at_sites(self._session, slugs))
        is_remembered = or_(exists().where(Node.site_id == Site.id), exists().where(Machine.site_id == Site.id))
        self._session.execute(delete(Site).where(Site.slug.in_(slugs), ~is_remembered))

    def _lock(self, model: type[Any], condition: ColumnElement[bool]) -> None:
        self._session.execute(select(model.id).where(condition).order_by(model.id).with_for_update()).all()


def retire(session: Session, node: Node) -> None:
    """End the life of a locked node that carries nothing; the control plane forgets how to reach it."""
    node.state, node.api_token_encrypted = NodeState.RETIRED, None
    session.execute(delete(NodeTemplate).where(NodeTemplate.node_id == node.id))
    session.execute(delete(NodeStorage).where(NodeStorage.node_id == node.id))
