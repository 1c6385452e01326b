"""What the inventory's routes take and give."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.inventory.models import NodeClass, NodeState
from api.inventory.reports import Holding, Outcome
from components.specs.platform import PlatformKind

_API_TOKEN = re.compile(r"[^\s@!=]+@[a-zA-Z0-9.-]+![A-Za-z0-9._-]+=[0-9a-fA-F-]{36}")


def _is_api_token(secret: SecretStr) -> SecretStr:
    if not _API_TOKEN.fullmatch(secret.get_secret_value()):
        raise ValueError("a Proxmox VE API token is written user@realm!name=uuid")
    return secret


ApiToken = Annotated[SecretStr, Field(max_length=300), AfterValidator(_is_api_token)]


class CredentialIn(BaseModel):
    """What the control plane reaches a node with."""

    model_config = ConfigDict(extra="forbid")

    api_token: ApiToken = Field(description="`user@realm!name=uuid`; kept sealed, and shown to nobody")


class ReasonIn(BaseModel):
    """Why somebody decides this; it goes into the audit trail."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class OutcomeView(BaseModel):
    """What a report has changed, or would change."""

    stack: str
    digest: str = Field(description="SHA-256 of the report in its canonical form")
    changes: Mapping[str, Any] = Field(description="by thing and field: before and after; empty if nothing changed")
    dry_run: bool

    @classmethod
    def of(cls, outcome: Outcome, *, dry_run: bool) -> Self:
        """Show an outcome."""
        return cls(stack=outcome.stack, digest=outcome.digest, changes=outcome.changes, dry_run=dry_run)


class StackView(BaseModel):
    """What a stack has told, in short."""

    stack: str
    kind: PlatformKind
    digest: str = Field(description="of the last report")
    reported_at: datetime
    is_as_told: bool = Field(description="whether nobody has changed or removed anything since")
    counts: Mapping[str, int] = Field(description="how many things of each part are held")

    @classmethod
    def of(cls, holding: Holding) -> Self:
        """Show a holding in short."""
        return cls(**_facts(holding))


class HeldView(StackView):
    """What a stack has told, and what Inventory holds of it now."""

    told: Mapping[str, Any] = Field(description="the last report")
    held: Mapping[str, Any] = Field(description="the same report with what the rows say today")

    @classmethod
    def of(cls, holding: Holding) -> Self:
        """Show a holding."""
        return cls(**_facts(holding), told=holding.row.report, held=holding.held)


class NodeView(BaseModel):
    """A node, without what opens it."""

    name: str
    site: str
    node_class: NodeClass
    state: NodeState
    endpoint: str
    stack: str | None = Field(description="the platform stack that describes it")
    guests: int = Field(description="placed on it or seen there")
    has_credential: bool
    credential_deposited_at: datetime | None


def _facts(holding: Holding) -> dict[str, Any]:
    row = holding.row
    counts = {part: len(held) for part, held in holding.held.items() if isinstance(held, list)}
    facts = {"stack": row.stack, "kind": row.kind, "digest": row.digest, "reported_at": row.reported_at}
    return {**facts, "is_as_told": holding.is_as_told, "counts": counts}
