"""The control plane's credentials for nodes, deposited apart from everything that is in a stack's state."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, record
from api.inventory.locks import lock_estate, lock_nodes
from api.inventory.models import NODES_IN_USE, NodeState
from api.inventory.platform_models import NodeCredential
from api.inventory.usage import refuse_use, users_of_nodes
from api.vault import Vault


def deposited(session: Session, node: str) -> bytes | None:
    """Return the sealed credential that was deposited for a node of this name, if any."""
    return session.scalar(select(NodeCredential.api_token_encrypted).where(NodeCredential.node == node))


class NodeCredentials:
    """Deposits and removes credentials; the caller's transaction commits.

    A credential may come before the node: whoever makes the node's account need not wait until the stack has told us
    of the node.
    """

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    def deposit(self, node: str, api_token: str, actor: Actor) -> None:
        """Keep a credential, sealed; a node that waited for it is in use from then on. The same again is no change."""
        lock_estate(self._session)
        kept = self._session.scalars(select(NodeCredential).where(NodeCredential.node == node)).one_or_none()
        row = lock_nodes(self._session, [node]).get(node)
        is_known = kept is not None and self._opens_to(kept.api_token_encrypted, api_token)
        waits = row is not None and row.state is NodeState.PENDING
        if is_known and not waits:
            return
        sealed = self._vault.seal(api_token)
        if kept is None:
            kept = NodeCredential(node=node, api_token_encrypted=sealed)
            self._session.add(kept)
        kept.api_token_encrypted, kept.deposited_at = sealed, self._now()
        if row is not None and row.state is not NodeState.RETIRED:
            row.api_token_encrypted = sealed
            row.state = NodeState.ACTIVE if waits else row.state
        self._record("node.deposit_credential", node, "the control plane was given a credential for it", actor)

    def remove(self, node: str, actor: Actor) -> None:
        """Forget a credential; the node waits for another. Does nothing where there is none.

        Raises:
            StillInUse: if the node has guests, which could not be looked after any more.
        """
        lock_estate(self._session)
        kept = self._session.scalars(select(NodeCredential).where(NodeCredential.node == node)).one_or_none()
        row = lock_nodes(self._session, [node]).get(node)
        is_used = row is not None and row.state in NODES_IN_USE
        if kept is None and not is_used:
            return
        if is_used:
            refuse_use(f"the credential of node '{node}' cannot go", users_of_nodes(self._session, [node]))
        if kept is not None:
            self._session.delete(kept)
        if row is not None and row.state is not NodeState.RETIRED:
            row.state, row.api_token_encrypted = NodeState.PENDING, None
        self._record("node.remove_credential", node, "the control plane's credential for it was removed", actor)

    def _opens_to(self, sealed: bytes, api_token: str) -> bool:
        try:
            return self._vault.open(sealed) == api_token
        except ValueError:  # sealed under a key that is gone
            return False

    def _now(self) -> datetime:
        return self._session.execute(select(func.now())).scalar_one()

    def _record(self, action: str, node: str, reason: str, actor: Actor) -> None:
        entry = AuditEntry(action=action, actor=actor, subject_type="node", subject_id=node, reason=reason)
        record(self._session, entry)
        self._session.flush()
