"""Reaching a node by its row."""

from api.inventory.models import Node
from api.vault import Vault
from automation.operations.guests import NodeAccess


def access_to(node: Node, vault: Vault) -> NodeAccess:
    """Return how to reach a node.

    Raises:
        ValueError: if it has no token, or no master key opens that.
    """
    return NodeAccess(
        name=node.name,
        endpoint=node.endpoint,
        verify_tls=node.verify_tls,
        api_token=vault.open(node.sealed_token),
    )
