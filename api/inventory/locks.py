"""Locks on the estate, the same way round as everywhere: the estate, zones, nodes, pools, addresses."""

from collections.abc import Collection

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.inventory.models import Node

_ESTATE_LOCK = 5_417_003


def lock_estate(session: Session) -> None:
    """Let nobody else change the estate until the transaction ends; waits for who does. Orders go on meanwhile."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ESTATE_LOCK})


def lock_nodes(session: Session, names: Collection[str]) -> dict[str, Node]:
    """Lock nodes against orders, in the order in which those lock them, and return the ones that there are by name."""
    query = select(Node).where(Node.name.in_(names)).order_by(Node.id).with_for_update()
    return {node.name: node for node in session.scalars(query.execution_options(populate_existing=True))}
