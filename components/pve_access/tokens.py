"""The order in which a token is made, granted, deposited and taken away, so that a crash in between does no harm."""

from dataclasses import dataclass

from components.pve_access.errors import Refused
from components.pve_access.inventory import Inventory
from components.pve_access.node import NodeApi
from components.specs.platform.node_access import Grant, NodeAccessSpec

PREFIX = "control-plane-"


def token_name(rotation: int) -> str:
    """Return the token's name on the node; each rotation has one of its own."""
    return f"{PREFIX}{rotation}"


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that is there: ``token_id`` is ``user@realm!name``, without the secret."""

    token_id: str
    grants: tuple[Grant, ...]


def issue(node: NodeApi, inventory: Inventory, spec: NodeAccessSpec) -> LiveToken:
    """Make the token of this rotation, deposit it, and then remove those of others.

    The one that the control plane has holds until it has the new one. A token of this rotation that is there already
    was made by a run that was cut off: its secret is lost, so it is made anew. If the control plane says no, the new
    token goes again; if it does not answer, it stays, because it may have been taken.

    Raises:
        AccessError: as the node or the control plane has it. To run it again is right.
    """
    name = token_name(spec.rotation)
    node.remove_tokens(spec.user, node.tokens(spec.user) & {name})
    secret = node.make_token(spec.user, name)
    token_id = secret.partition("=")[0]
    try:
        node.grant(token_id, spec.grants)
        inventory.deposit(spec.node, secret)
    except Refused:
        node.remove_tokens(spec.user, {name})
        raise
    node.remove_tokens(spec.user, _ours(node, spec.user) - {name})
    return LiveToken(token_id, _ordered(spec.grants))


def bring(node: NodeApi, token_id: str, wanted: tuple[Grant, ...]) -> LiveToken:
    """Grant a token exactly what is wanted: first what is missing, then take away what is too much."""
    there = set(node.grants(token_id))
    node.grant(token_id, [grant for grant in wanted if grant not in there])
    node.grant(token_id, sorted(there - set(wanted), key=lambda grant: grant.path), delete=True)
    return LiveToken(token_id, _ordered(wanted))


def look(node: NodeApi, user: str, token_id: str) -> LiveToken | None:
    """Return what is there of a token; None if it is gone."""
    if token_id.partition("!")[2] not in node.tokens(user):
        return None
    return LiveToken(token_id, node.grants(token_id))


def revoke(node: NodeApi, inventory: Inventory, name: str, user: str) -> None:
    """Remove every token of the control plane from a node, and take back what was deposited."""
    node.remove_tokens(user, _ours(node, user))
    inventory.withdraw(name)


def _ours(node: NodeApi, user: str) -> frozenset[str]:
    return frozenset(name for name in node.tokens(user) if name.startswith(PREFIX))


def _ordered(grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda grant: (grant.path, grant.role)))
