"""Routes of state sync, of nodes' states, and of Prometheus' service discovery."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from api.audit.trail import Actor
from api.auth.models import Role
from api.auth.principal import Principal
from api.auth.scopes import Scope
from api.auth.staff import require_role
from api.errors import InvalidInput
from api.inventory.credentials import NodeCredentials
from api.inventory.lifecycle import NodeLifecycle
from api.inventory.nodes import Nodes
from api.inventory.reports import StackReports
from api.inventory.schemas import CredentialIn, HeldView, NodeView, OutcomeView, ReasonIn, StackView
from api.inventory.targets import prometheus_targets
from api.runtime import RuntimeDep, SessionDep
from components.specs.platform import StackReport

router = APIRouter(tags=["inventory"])
Syncer = Annotated[Principal, require_role(Role.OPERATOR, scope=Scope.INVENTORY_SYNC)]
Reader = Annotated[Principal, require_role(Role.SUPPORT, scope=Scope.INVENTORY_READ)]
Operator = Annotated[Principal, require_role(Role.OPERATOR)]
NodeName = Annotated[str, Path(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


@router.put("/inventory/stacks/{stack}")
def put_stack(
    stack: str, body: StackReport, person: Syncer, session: SessionDep, *, dry_run: bool = False
) -> OutcomeView:
    """Bring Inventory to what a platform stack reports; with `dry_run`, only say what that would change.

    409 `still_in_use` with the list of workloads if customers are on what the stack no longer describes.
    """
    if body.stack != stack:
        raise InvalidInput(f"'stack' in the body is '{body.stack}', the address says '{stack}'", field="stack")
    reports = StackReports(session)
    act = reports.try_out if dry_run else reports.apply
    return OutcomeView.of(act(body, Actor.of(person)), dry_run=dry_run)


@router.get("/inventory/stacks")
def reported_stacks(_person: Syncer, session: SessionDep) -> list[StackView]:
    """List the platform stacks that have reported."""
    return [StackView.of(holding) for holding in StackReports(session).all()]


@router.get("/inventory/stacks/{stack}")
def get_stack(stack: str, _person: Syncer, session: SessionDep) -> HeldView:
    """Return what a platform stack told, and what Inventory holds of it now."""
    return HeldView.of(StackReports(session).holding(stack))


@router.delete("/inventory/stacks/{stack}", status_code=status.HTTP_204_NO_CONTENT)
def delete_stack(stack: str, person: Syncer, session: SessionDep) -> None:
    """Withdraw everything that a platform stack describes; 409 with the list of workloads if customers are on it."""
    StackReports(session).withdraw(stack, Actor.of(person))


@router.get("/inventory/nodes")
def list_nodes(_person: Syncer, session: SessionDep) -> list[NodeView]:
    """List all nodes, the retired ones too."""
    return list(Nodes(session).all())


@router.get("/inventory/nodes/{name}")
def get_node(name: NodeName, _person: Syncer, session: SessionDep) -> NodeView:
    """Return a node, and whether the control plane has a credential for it."""
    return Nodes(session).one(name)


@router.put("/inventory/nodes/{name}/credential", status_code=status.HTTP_204_NO_CONTENT)
def put_credential(
    name: NodeName, body: CredentialIn, person: Syncer, runtime: RuntimeDep, session: SessionDep
) -> None:
    """Deposit what the control plane reaches a node with; the node itself may be reported later."""
    NodeCredentials(session, runtime.vault).deposit(name, body.api_token.get_secret_value(), Actor.of(person))


@router.delete("/inventory/nodes/{name}/credential", status_code=status.HTTP_204_NO_CONTENT)
def delete_credential(name: NodeName, person: Syncer, runtime: RuntimeDep, session: SessionDep) -> None:
    """Remove a node's credential, if there is one; 409 with the list of workloads if the node has guests."""
    NodeCredentials(session, runtime.vault).remove(name, Actor.of(person))


@router.get("/inventory/prometheus-targets")
def get_prometheus_targets(
    _person: Reader, session: SessionDep, job: Annotated[str | None, Query(max_length=64)] = None
) -> list[dict[str, list[str] | dict[str, str]]]:
    """List what Prometheus scrapes, for its `http_sd_configs`; `?job=node` asks for one job's targets."""
    return prometheus_targets(session, job)


@router.post("/admin/inventory/nodes/{name}/drain")
def drain_node(name: NodeName, body: ReasonIn, person: Operator, session: SessionDep) -> NodeView:
    """Give a node no new guests."""
    NodeLifecycle(session).drain(name, body.reason, Actor.of(person))
    return Nodes(session).one(name)


@router.post("/admin/inventory/nodes/{name}/activate")
def activate_node(name: NodeName, body: ReasonIn, person: Operator, session: SessionDep) -> NodeView:
    """Give a node that is being drained new guests again."""
    NodeLifecycle(session).activate(name, body.reason, Actor.of(person))
    return Nodes(session).one(name)


@router.post("/admin/inventory/nodes/{name}/retire")
def retire_node(name: NodeName, body: ReasonIn, person: Operator, session: SessionDep) -> NodeView:
    """Take an empty node, which no stack describes, out of use for good."""
    NodeLifecycle(session).retire(name, body.reason, Actor.of(person))
    return Nodes(session).one(name)
