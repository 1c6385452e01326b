"""Looks at nodes."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.inventory.models import Node, Site
from api.inventory.owners import Owners
from api.inventory.platform_models import NodeCredential
from api.inventory.schemas import NodeView
from api.inventory.usage import users_of_nodes


class Nodes:
    """All nodes, with who describes them and whether they can be reached."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self, name: str | None = None) -> Sequence[NodeView]:
        """Return every node, or the one of that name, by name."""
        query = (
            select(Node, Site.slug, NodeCredential.deposited_at)
            .join(Site, Site.id == Node.site_id)
            .outerjoin(NodeCredential, NodeCredential.node == Node.name)
            .order_by(Node.name)
        )
        rows = self._session.execute(query if name is None else query.where(Node.name == name)).all()
        guests = Counter(use.on for use in users_of_nodes(self._session, [node.name for node, _, _ in rows]))
        owners = Owners(self._session)
        return [
            NodeView(
                name=node.name,
                site=site,
                node_class=node.node_class,
                state=node.state,
                endpoint=node.endpoint,
                stack=owners.of("nodes", node.name),
                guests=guests[f"node {node.name}"],
                has_credential=node.api_token_encrypted is not None,
                credential_deposited_at=deposited_at,
            )
            for node, site, deposited_at in rows
        ]

    def one(self, name: str) -> NodeView:
        """Return a node.

        Raises:
            NotFound: if there is none of that name.
        """
        found = self.all(name)
        if not found:
            raise NotFound(f"there is no node '{name}'")
        return found[0]
