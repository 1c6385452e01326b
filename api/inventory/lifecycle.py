"""Draining a node, taking it back, and retiring one that is empty: a person's decisions, with their reason."""

from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, changed, record
from api.errors import NotFound
from api.inventory.errors import NodeNotReady, ToldByAnotherStack
from api.inventory.locks import lock_estate, lock_nodes
from api.inventory.models import Node, NodeState
from api.inventory.owners import Owners
from api.inventory.usage import refuse_use, users_of_nodes
from api.inventory.withdrawal import retire


class NodeLifecycle:
    """Changes the state of nodes; the caller's transaction commits. Doing a thing again changes nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def drain(self, name: str, reason: str, actor: Actor) -> Node:
        """Give a node no new guests; those that it has stay.

        Raises:
            NotFound: if there is no such node.
            NodeNotReady: if it waits for its credential or is retired, and gets no guests anyway.
        """
        return self._move(name, NodeState.ACTIVE, NodeState.DRAINING, "node.drain", reason, actor)

    def activate(self, name: str, reason: str, actor: Actor) -> Node:
        """Give a node that is being drained new guests again.

        Raises:
            NotFound: if there is no such node.
            NodeNotReady: if it waits for its credential, or is retired.
        """
        return self._move(name, NodeState.DRAINING, NodeState.ACTIVE, "node.activate", reason, actor)

    def retire(self, name: str, reason: str, actor: Actor) -> Node:
        """Take an empty node out of use for good.

        Raises:
            NotFound: if there is no such node.
            ToldByAnotherStack: if a platform stack describes it: there it has to be taken out.
            StillInUse: if it has guests, with their list.
        """
        lock_estate(self._session)
        stack = Owners(self._session).of("nodes", name)
        if stack is not None:
            raise ToldByAnotherStack(
                f"node '{name}' is described by the stack '{stack}': take it out of Pulumi.{stack}.yaml and run "
                "`pulumi up`, which retires it here first",
                stack=stack,
            )
        node = self._locked(name)
        if node.state is NodeState.RETIRED:
            return node
        refuse_use(f"node '{name}' cannot be retired", users_of_nodes(self._session, [name]))
        before = node.state
        retire(self._session, node)
        self._record("node.retire", node, before, reason, actor)
        return node

    def _move(  # noqa: PLR0913, PLR0917 - what a change of state is made of
        self, name: str, source: NodeState, target: NodeState, action: str, reason: str, actor: Actor
    ) -> Node:
        node = self._locked(name)
        if node.state is target:
            return node
        if node.state is not source:
            why = "deposit its credential first" if node.state is NodeState.PENDING else "bring up its stack first"
            raise NodeNotReady(f"node '{name}' is {node.state} and cannot become {target}: {why}")
        node.state = target
        self._record(action, node, source, reason, actor)
        return node

    def _locked(self, name: str) -> Node:
        node = lock_nodes(self._session, [name]).get(name)
        if node is None:
            raise NotFound(f"there is no node '{name}'")
        return node

    def _record(self, action: str, node: Node, before: NodeState, reason: str, actor: Actor) -> None:
        diff = changed(state=(before, node.state))
        entry = AuditEntry(
            action=action, actor=actor, subject_type="node", subject_id=node.name, reason=reason, diff=diff
        )
        record(self._session, entry)
        self._session.flush()
