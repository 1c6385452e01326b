"""The pool of machines at a glance, and one machine with all that is known of it."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import Row, Select, false, or_, select
from sqlalchemy.orm import Session

from api.auth.models import User
from api.errors import NotFound
from api.inventory.models import Site
from api.machines.lifecycle import is_wiped
from api.machines.models import Deployment, Machine, WipeReport
from api.machines.netboot.decision import MAX_BOOTS
from api.machines.netboot.reports import is_sealed
from api.machines.register import UNUSED
from api.operations.stream import LARGEST_ID, follow_parts
from api.runtime import RuntimeDep, SessionDep
from api.web.hardware import compare
from api.web.machine_reading import ConsoleReader, read_console, read_deployments, shown
from api.web.machine_words import GROUPS
from api.web.operations import Choice
from api.web.paging import PlaceDep, cut
from api.web.rendering import page
from api.web.visitor import Support
from api.workloads.models import Workload
from components.specs.machine import MachineState

router = APIRouter()
_REPORTS = 10
_MOST_SQUARES = 1200
"""A pool with more machines than this is shown by bars alone."""


@dataclass(slots=True)
class ClassView:
    """The machines of a class: how many there are of each kind, and each as a square."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    machines: list[Row[UUID, str, str, MachineState, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.machines)


@dataclass(frozen=True, slots=True)
class PoolView:
    """The pool as a picture."""

    classes: Sequence[ClassView]
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many machines there are."""
        return sum(self.counts.values())

    @property
    def has_squares(self) -> bool:
        """Whether each machine gets a square of its own."""
        return self.total <= _MOST_SQUARES


@router.get("/admin/machines")
def list_machines(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: Request,
    visitor: Support,
    session: SessionDep,
    place: PlaceDep,
    state: Choice = "",
    machine_class: Annotated[str, Query(alias="class", max_length=63)] = "",
    q: Choice = "",
) -> Response:
    """Show the pool, and list its machines."""
    pool = _pool(session)
    query = _filtered(state, machine_class, q.strip())
    return page(
        request,
        visitor,
        "machines.html",
        pool=pool,
        slice=cut(session, query, Machine.id, place),
        groups=GROUPS,
        states=list(MachineState),
        classes=[one.name for one in pool.classes],
        chosen={"state": state, "class": machine_class, "q": q},
    )


@router.get("/admin/machines/{machine_id}")
def show_machine(
    machine_id: UUID, request: Request, visitor: Support, session: SessionDep, runtime: RuntimeDep
) -> Response:
    """Show a machine: what goes on, its hardware, its history, and the proof that it was wiped."""
    found = session.execute(
        select(Machine, Site.name.label("site"), Workload, User.email.label("owner"))
        .join(Site, Site.id == Machine.site_id)
        .outerjoin(Workload, Workload.id == Machine.workload_id)
        .outerjoin(User, User.id == Workload.owner_id)
        .where(Machine.id == machine_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such machine")
    deployments = read_deployments(session, Deployment.machine_id == machine_id, now=datetime.now(UTC))
    newest = shown(deployments)
    reports = session.scalars(
        select(WipeReport).where(WipeReport.machine_id == machine_id).order_by(WipeReport.id.desc()).limit(_REPORTS)
    ).all()
    return page(
        request,
        visitor,
        "machine.html",
        found=found,
        machine=found.Machine,
        is_wiped=is_wiped(found.Machine),
        hardware=compare(found.Machine),
        deployments=deployments,
        newest=newest,
        most_boots=MAX_BOOTS,
        console=read_console(session, newest.row if newest else None),
        reports=[(report, is_sealed(runtime.vault, report)) for report in reports],
        verbs=verbs_of(found.Machine, is_open=newest is not None and newest.is_open),
    )


def verbs_of(machine: Machine, *, is_open: bool) -> frozenset[str]:
    """Return what can be decided about a machine as it is."""
    if machine.state is MachineState.RETIRED:
        return frozenset()
    verbs = set()
    if machine.state is MachineState.QUARANTINE:
        verbs.add("release")
    else:
        verbs.add("quarantine")
    if machine.state in {MachineState.ENROLL, MachineState.AVAILABLE}:
        verbs.add("inspect")
    if not is_open:
        verbs.add("power")
    if machine.bmc_password_encrypted is None:
        verbs -= {"release", "inspect", "power"}
    if machine.state in UNUSED and machine.workload_id is None:
        verbs.add("retire")
    return frozenset(verbs)


@router.get("/admin/machines/{machine_id}/deployments/{deployment_id}")
def show_deployment(
    machine_id: UUID, deployment_id: UUID, request: Request, visitor: Support, session: SessionDep
) -> Response:
    """Show one deployment of a machine, with its log and its console."""
    machine = session.get(Machine, machine_id)
    views = read_deployments(
        session, Deployment.machine_id == machine_id, Deployment.id == deployment_id, now=datetime.now(UTC)
    )
    if machine is None or not views:
        raise NotFound("there is no such deployment")
    console = read_console(session, views[0].row)
    return page(
        request, visitor, "deployment.html", machine=machine, one=views[0], console=console, most_boots=MAX_BOOTS
    )


def _check_known(machine_id: UUID, deployment_id: UUID, _visitor: Support, session: SessionDep) -> None:
    """Refuse before the stream begins, while a page can still be sent."""
    deployment = session.get(Deployment, deployment_id)
    if deployment is None or deployment.machine_id != machine_id:
        raise NotFound("there is no such deployment")


@router.get("/admin/machines/{machine_id}/deployments/{deployment_id}/console", response_class=EventSourceResponse)
async def stream_console(
    deployment_id: UUID,
    runtime: RuntimeDep,
    _known: Annotated[None, Depends(_check_known)],
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    last_event_id: Annotated[int, Header(ge=0, le=LARGEST_ID)] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Stream a machine's console from where the page ends, or where the stream was cut off."""
    reader = ConsoleReader(runtime.database, deployment_id)
    async for event in follow_parts(reader, max(after, last_event_id)):
        yield event


def _pool(session: Session) -> PoolView:
    query = select(Machine.id, Machine.name, Machine.machine_class, Machine.state, Machine.state_reason)
    classes: dict[str, ClassView] = {}
    group_of = {state: group for group, states in GROUPS.items() for state in states}
    query = query.where(Machine.state != MachineState.RETIRED)
    for row in session.execute(query.order_by(Machine.machine_class, Machine.name)):
        one = classes.setdefault(row.machine_class, ClassView(row.machine_class))
        one.machines.append(row)
        one.counts[group_of[row.state]] += 1
    counts = {group: sum(one.counts[group] for one in classes.values()) for group in GROUPS}
    return PoolView(list(classes.values()), counts)


def _filtered(state: str, machine_class: str, text: str) -> Select[Machine, str, str]:
    query = (
        select(Machine, Workload.name.label("workload"), User.email.label("owner"))
        .outerjoin(Workload, Workload.id == Machine.workload_id)
        .outerjoin(User, User.id == Workload.owner_id)
    )
    if state in GROUPS:
        query = query.where(Machine.state.in_(GROUPS[state]))
    elif state:
        query = query.where(Machine.state == state if state in list(MachineState) else false())
    else:
        query = query.where(Machine.state != MachineState.RETIRED)
    if machine_class:
        query = query.where(Machine.machine_class == machine_class)
    if text:
        columns = (Machine.name, Machine.serial, Machine.boot_mac, Machine.rack, Machine.switch_port, Workload.name)
        query = query.where(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    return query
