"""Who is on a platform stack: what keeps it, or a part of it, from being removed."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.dns.models import DnsLabel, DnsZone
from api.inventory.models import Node, NodeState
from api.inventory.platform_models import PlatformStack, PoolServer
from api.ipam.models import Address, AddressPool
from api.machines.models import Machine
from api.platform.errors import CustomersOnStack
from api.platform.models import PlatformRun, RunAction
from api.workloads.models import Workload, WorkloadStatus

_REPORTED = {"nodes": "nodes", "servers": "servers", "address_pools": "pools", "dns_zones": "zones"}


def check_customers(session: Session, run: PlatformRun) -> None:
    """Refuse a run that would take away what carries customers.

    A destroy takes all that the stack has reported; an update takes what its configuration named and names no more.

    Raises:
        CustomersOnStack: with their list.
    """
    if run.action.only_looks:
        return
    stack = session.scalars(select(PlatformStack).where(PlatformStack.stack == run.stack)).one_or_none()
    if stack is None:
        return
    gone = {part: _names(stack.report, key) for key, part in _REPORTED.items()}
    if run.action is RunAction.UP:
        left_out = set(mentioned(stack.spec)) - set(mentioned(run.spec))
        gone = {part: names & left_out for part, names in gone.items()}
    carried = [line for part, names in gone.items() if names for line in _CARRIERS[part](session, names)]
    if carried:
        raise CustomersOnStack(carried)


def mentioned(document: Any) -> Iterator[str]:
    """Yield every name in a configuration: keys and texts, however deep."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping):
        for key, value in document.items():
            yield str(key)
            yield from mentioned(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from mentioned(value)


def _on_nodes(session: Session, names: set[str]) -> Iterator[str]:
    """Workloads on nodes; and nodes that are not drained, for the next order may land there meanwhile."""
    workloads = session.execute(
        select(Workload.name, Node.name)
        .join(Node, Node.id == Workload.node_id)
        .where(Node.name.in_(names), Workload.status != WorkloadStatus.DELETED)
        .order_by(Node.name, Workload.name)
    )
    for workload, node in workloads:
        yield f"{workload} on node {node}"
    taking = select(Node.name).where(Node.name.in_(names), Node.state == NodeState.ACTIVE).order_by(Node.name)
    for node in session.scalars(taking):
        yield f"node {node} takes new orders (drain it)"


def _on_servers(session: Session, names: set[str]) -> Iterator[str]:
    """Workloads whose own machine is one of the servers."""
    workloads = session.execute(
        select(Workload.name, PoolServer.name)
        .join(Machine, Machine.id == Workload.machine_id)
        .join(PoolServer, PoolServer.number == Machine.server_number)
        .where(PoolServer.name.in_(names), Workload.status != WorkloadStatus.DELETED)
        .order_by(PoolServer.name, Workload.name)
    )
    for workload, server in workloads:
        yield f"{workload} has server {server}"


def _on_pools(session: Session, names: set[str]) -> Iterator[str]:
    held = session.execute(
        select(Workload.name, Address.network, AddressPool.name)
        .join(Address, Address.workload_id == Workload.id)
        .join(AddressPool, AddressPool.id == Address.pool_id)
        .where(AddressPool.name.in_(names))
        .order_by(AddressPool.name, Workload.name)
    )
    for workload, network, pool in held:
        yield f"{workload} with {network} of pool {pool}"


def _on_zones(session: Session, names: set[str]) -> Iterator[str]:
    held = session.execute(
        select(Workload.name, DnsLabel.label, DnsZone.name)
        .join(DnsLabel, DnsLabel.workload_id == Workload.id)
        .join(DnsZone, DnsZone.id == DnsLabel.zone_id)
        .where(DnsZone.name.in_(names))
        .order_by(DnsZone.name, Workload.name)
    )
    for workload, label, zone in held:
        yield f"{workload} with the name {label}.{zone}"


_CARRIERS = {"nodes": _on_nodes, "servers": _on_servers, "pools": _on_pools, "zones": _on_zones}


def _names(report: Mapping[str, Any], key: str) -> set[str]:
    return {str(item["name"]) for item in report.get(key) or ()}
