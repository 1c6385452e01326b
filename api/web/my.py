"""What a customer has: the list, and the page of a machine."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from api.catalogue.models import ProductTemplate, Size
from api.errors import NotFound
from api.machines.models import Deployment, Machine
from api.operations.models import ACTIVE, Operation
from api.operations.stream import LARGEST_ID, follow_parts
from api.orders.models import Order
from api.runtime import RuntimeDep, SessionDep
from api.templates.definition import TemplateDefinition
from api.templates.models import Template, TemplateVersion
from api.web.machine_reading import ConsoleReader, read_console, read_deployments, shown
from api.web.paging import PlaceDep, cut
from api.web.rendering import page
from api.web.situation import situation_of
from api.web.visitor import Owner
from api.workloads.models import Workload, WorkloadStatus
from components.specs import BareMetalSpec, parse_workload_spec
from components.specs.machine import DiskLayout

router = APIRouter()
_DEPLOYMENTS = 10
_NOTHING_TO_ASK = frozenset({WorkloadStatus.PENDING_PAYMENT, WorkloadStatus.DELETED})
_VERBS = {
    WorkloadStatus.RUNNING: ("reset", "stop", "rescue", "reinstall", "cancel"),
    WorkloadStatus.STOPPED: ("start", "rescue", "reinstall", "cancel"),
    WorkloadStatus.NEEDS_ATTENTION: ("reinstall", "cancel"),
}


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """Something that a machine can be installed with."""

    slug: str
    title: str
    image: str
    layouts: Sequence[DiskLayout]


@router.get("/my")
def list_mine(request: Request, visitor: Owner, session: SessionDep, place: PlaceDep) -> Response:
    """List the visitor's workloads, the newest first."""
    query = (
        select(Workload, Order.description, Machine.state.label("state"))
        .join(Order, Order.id == Workload.order_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
        .where(Workload.owner_id == visitor.principal.user_id, Workload.status != WorkloadStatus.DELETED)
    )
    return page(request, visitor, "my.html", slice=cut(session, query, Workload.id, place))


@router.get("/my/machines/{workload_id}")
def show_mine(workload_id: UUID, request: Request, visitor: Owner, session: SessionDep) -> Response:
    """Show one of the visitor's machines."""
    found = _find(session, visitor.principal.user_id, workload_id)
    workload, spec = found.Workload, parse_workload_spec(found.Workload.desired)
    assert isinstance(spec, BareMetalSpec)  # noqa: S101 - what is on a machine is described by nothing else
    deployments = read_deployments(
        session, Deployment.workload_id == workload_id, now=datetime.now(UTC), limit=_DEPLOYMENTS
    )
    newest = shown(deployments)
    return page(
        request,
        visitor,
        "my_machine.html",
        workload=workload,
        order=found.Order,
        machine=found.Machine,
        operation=found.Operation,
        spec=spec,
        situation=situation_of(
            workload.status,
            is_rescue=spec.rescue,
            under_way=newest.row.kind if newest and newest.is_open else None,
            was_delivered=workload.applied_generation > 0,
        ),
        deployments=deployments,
        newest=newest,
        console=read_console(session, newest.row if newest else None),
        verbs=verbs_of(workload, found.Operation),
        images=images_for(session, found.Order),
        layouts=list(DiskLayout),
    )


def verbs_of(workload: Workload, operation: Operation | None) -> tuple[str, ...]:
    """Return what an owner can ask for at the moment; while something is being done, nothing but to cancel."""
    if workload.desired_absent or workload.status in _NOTHING_TO_ASK:
        return ()
    if operation is not None:
        return ("cancel",)
    if workload.status is WorkloadStatus.RUNNING and workload.desired.get("rescue"):
        return ("unrescue", "reinstall", "cancel")
    return _VERBS.get(workload.status, ("cancel",))


def images_for(session: Session, order: Order) -> Sequence[ImageChoice]:
    """Return what a machine can be installed with: the templates that it could have been ordered with, and fit."""
    rows = session.execute(
        select(Template.slug, Template.name, TemplateVersion.definition, Size)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .join(ProductTemplate, ProductTemplate.template_id == Template.id)
        .join(Size, Size.product_id == ProductTemplate.product_id)
        .where(Size.id == order.size_id, TemplateVersion.is_current)
        .order_by(Template.slug)
    )
    found = []
    for row in rows:
        definition = TemplateDefinition.model_validate(row.definition)
        if definition.machine_image is not None and definition.minimum_memory_mib <= row.Size.memory_mib:
            found.append(ImageChoice(row.slug, row.name, definition.machine_image.name, definition.layouts))
    return found


def _check_owned(workload_id: UUID, deployment_id: UUID, visitor: Owner, session: SessionDep) -> None:
    """Refuse before the stream begins; what a machine printed for whoever had it before is never theirs."""
    query = (
        select(Deployment.id)
        .join(Workload, Workload.id == Deployment.workload_id)
        .where(
            Deployment.id == deployment_id,
            Workload.id == workload_id,
            Workload.owner_id == visitor.principal.user_id,
        )
    )
    if session.execute(query).one_or_none() is None:
        raise NotFound("you have no such machine")


@router.get("/my/machines/{workload_id}/deployments/{deployment_id}/console", response_class=EventSourceResponse)
async def stream_my_console(
    deployment_id: UUID,
    runtime: RuntimeDep,
    _owned: Annotated[None, Depends(_check_owned)],
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    last_event_id: Annotated[int, Header(ge=0, le=LARGEST_ID)] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Stream the console of the visitor's machine from where the page ends, or where the stream was cut off."""
    reader = ConsoleReader(runtime.database, deployment_id)
    async for event in follow_parts(reader, max(after, last_event_id)):
        yield event


def _find(session: Session, owner_id: UUID, workload_id: UUID) -> Any:
    found = session.execute(
        select(Workload, Order, Machine, Operation)
        .join(Order, Order.id == Workload.order_id)
        .join(Machine, Machine.id == Workload.machine_id)
        .outerjoin(Operation, and_(Operation.workload_id == Workload.id, Operation.status.in_(ACTIVE)))
        .where(Workload.id == workload_id, Workload.owner_id == owner_id)
    ).one_or_none()
    if found is None:
        raise NotFound("you have no such machine")
    return found
