"""The pool of machines: staff look at it, operators decide about its machines."""

from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response, status
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, record
from api.auth.models import Role
from api.auth.principal import Principal
from api.auth.staff import require_role
from api.db.session import Transaction
from api.errors import Conflict, NotFound
from api.inventory.models import Site
from api.jobs import Job
from api.machines.care import MachineCare
from api.machines.deployments import Deployments
from api.machines.enrolment import MachineEnrolment
from api.machines.finding import find_machine, locked_machine
from api.machines.inputs import BmcCredentialIn, MachineIn, MachinePatch, QuarantineIn, ReasonIn
from api.machines.lifetimes import lifetimes
from api.machines.models import Deployment, Machine, WipeReport
from api.machines.power_wishes import PowerVerb, PowerWishes
from api.machines.progress import console_after, events_after, newest_of
from api.machines.schemas import (
    ConsolePiece,
    DeploymentLine,
    MachineDetail,
    MachineView,
    StaffDeploymentView,
    WipeReportView,
)
from api.operations.stream import LARGEST_ID
from api.pages import Page, PageDep, fetch_page
from api.runtime import Runtime, RuntimeDep, SessionDep, TransactionDep
from components.specs.machine import MachineState

router = APIRouter(prefix="/admin/machines", tags=["machines"])
Viewer = Annotated[Principal, require_role(Role.SUPPORT)]
Operator = Annotated[Principal, require_role(Role.OPERATOR)]
Name = Annotated[str, Path(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
After = Annotated[int, Query(ge=0, le=LARGEST_ID, description="only what follows the entry with this id")]
Verb = Literal["on", "off", "cycle"]  # not ``PowerVerb``: the document of the API has its words in place


def get_enrolment(runtime: RuntimeDep, session: SessionDep) -> MachineEnrolment:
    """Build the use case for the request."""
    return MachineEnrolment(session, runtime.vault)


def get_care(runtime: RuntimeDep, session: SessionDep) -> MachineCare:
    """Build the use case for the request."""
    return MachineCare(session, lifetimes(runtime.settings))


EnrolmentDep = Annotated[MachineEnrolment, Depends(get_enrolment)]
CareDep = Annotated[MachineCare, Depends(get_care)]


@router.get("")
def list_machines(
    _viewer: Viewer,
    session: SessionDep,
    page: PageDep,
    state: Annotated[MachineState | None, Query(description="only machines in this state")] = None,
    machine_class: Annotated[str | None, Query(max_length=63, description="only machines of this class")] = None,
) -> Page[MachineView]:
    """List the machines of the pool, newest first."""
    query = select(Machine)
    if state is not None:
        query = query.where(Machine.state == state)
    if machine_class is not None:
        query = query.where(Machine.machine_class == machine_class)
    return fetch_page(session, query, Machine.id, page, _shown(session))


@router.post("", status_code=status.HTTP_201_CREATED)
def enroll_machine(body: MachineIn, person: Operator, session: SessionDep, enrolment: EnrolmentDep) -> MachineView:
    """Tell of a machine. It is inspected, wiped and offered once somebody asks for its inspection."""
    machine = enrolment.enroll(body, Actor.of(person))
    session.refresh(machine)
    return _shown(session)(machine)


@router.get("/{name}")
def get_machine(name: Name, _viewer: Viewer, session: SessionDep) -> MachineDetail:
    """Return a machine with what it reported of itself and its newest deployment."""
    machine = find_machine(session, name)
    newest = newest_of(session, machine.id)
    return MachineDetail(
        **dict(_shown(session)(machine)),
        facts=machine.facts,
        profile=machine.profile,
        deployment=None if newest is None else StaffDeploymentView.of(session, newest),
    )


@router.patch("/{name}")
def edit_machine(
    name: Name, body: MachinePatch, person: Operator, session: SessionDep, enrolment: EnrolmentDep
) -> MachineView:
    """Change what is told of a machine."""
    return _shown(session)(enrolment.edit(name, body, Actor.of(person)))


@router.delete("/{name}", status_code=status.HTTP_204_NO_CONTENT)
def retire_machine(
    name: Name,
    person: Operator,
    enrolment: EnrolmentDep,
    reason: Annotated[str, Query(min_length=3, max_length=500, description="for the audit trail")],
) -> Response:
    """Take a machine that is gone from the racks out of the pool; one that was ever a customer's is remembered."""
    enrolment.retire(name, reason, Actor.of(person))
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.put("/{name}/credential", status_code=status.HTTP_204_NO_CONTENT)
def put_bmc_credential(name: Name, body: BmcCredentialIn, person: Operator, enrolment: EnrolmentDep) -> Response:
    """Deposit the password of a machine's BMC."""
    enrolment.deposit(name, body.password.get_secret_value(), Actor.of(person))
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/{name}/inspect", status_code=status.HTTP_202_ACCEPTED)
def inspect_machine(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    name: Name, body: ReasonIn, person: Operator, runtime: RuntimeDep, transaction: TransactionDep, care: CareDep
) -> StaffDeploymentView:
    """Have a machine that nobody uses inspected, then wiped and offered."""
    return _begun(runtime, transaction, care.inspect(name, body.reason, Actor.of(person)))


@router.post("/{name}/quarantine")
def quarantine_machine(
    name: Name, body: QuarantineIn, person: Operator, session: SessionDep, care: CareDep
) -> MachineView:
    """Take a machine out of use; a customer's only with `affects_customer`."""
    actor = Actor.of(person)
    return _shown(session)(care.quarantine(name, body.reason, actor, affects_customer=body.affects_customer))


@router.post("/{name}/release", status_code=status.HTTP_202_ACCEPTED)
def release_from_quarantine(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    name: Name, body: ReasonIn, person: Operator, runtime: RuntimeDep, transaction: TransactionDep, care: CareDep
) -> StaffDeploymentView:
    """Bring a machine back from quarantine: it is inspected, wiped and offered."""
    return _begun(runtime, transaction, care.release(name, body.reason, Actor.of(person)))


@router.post("/{name}/power/{verb}", status_code=status.HTTP_202_ACCEPTED)
def switch_machine(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    name: Name, verb: Verb, body: ReasonIn, person: Operator, runtime: RuntimeDep, transaction: TransactionDep
) -> MachineView:
    """Switch a machine by its BMC, by force; what came of it is in the audit trail."""
    session = transaction.session
    machine = locked_machine(session, name)
    if Deployments(session).look(machine.id) is not None:
        raise Conflict(f"machine '{name}' is being booted for something: quarantine it, or wait for its end")
    entry = AuditEntry(
        action="machine.power",
        actor=Actor.of(person),
        subject_type="machine",
        subject_id=name,
        reason=body.reason,
        diff={"verb": verb},
    )
    PowerWishes(session).ask(machine, PowerVerb(verb))
    record(session, entry)
    machine_id = machine.id
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.POWER_MACHINE, machine_id, verb))
    return _shown(session)(machine)


@router.get("/{name}/deployments")
def list_deployments(name: Name, _viewer: Viewer, session: SessionDep, page: PageDep) -> Page[StaffDeploymentView]:
    """List what a machine was booted over the network for, newest first."""
    query = select(Deployment).where(Deployment.machine_id == find_machine(session, name).id)
    return fetch_page(session, query, Deployment.id, page, lambda row: StaffDeploymentView.of(session, row))


@router.get("/{name}/wipe-reports")
def list_wipe_reports(name: Name, _viewer: Viewer, session: SessionDep, page: PageDep) -> Page[WipeReportView]:
    """List the proofs that a machine's disks were empty, newest first."""
    query = select(WipeReport).where(WipeReport.machine_id == find_machine(session, name).id)
    return fetch_page(session, query, WipeReport.id, page, WipeReportView.model_validate)


@router.get("/{name}/deployments/{deployment_id}/events")
def list_deployment_events(
    name: Name, deployment_id: UUID, _viewer: Viewer, session: SessionDep, after: After = 0
) -> list[DeploymentLine]:
    """List the lines of a deployment's log, oldest first, at most 500; the last one's id leads on."""
    _check_deployment(session, name, deployment_id)
    return [DeploymentLine.model_validate(line) for line in events_after(session, deployment_id, after)]


@router.get("/{name}/deployments/{deployment_id}/console")
def get_deployment_console(
    name: Name, deployment_id: UUID, _viewer: Viewer, session: SessionDep, after: After = 0
) -> list[ConsolePiece]:
    """Return what the machine printed while it was booted for this, oldest first; the last one's id leads on."""
    _check_deployment(session, name, deployment_id)
    return [ConsolePiece.model_validate(piece) for piece in console_after(session, deployment_id, after)]


def _shown(session: Session) -> Callable[[Machine], MachineView]:
    sites = {row.id: row.slug for row in session.execute(select(Site.id, Site.slug))}
    return lambda machine: MachineView.of(machine, sites[machine.site_id])


def _begun(runtime: Runtime, transaction: Transaction, deployment: Deployment) -> StaffDeploymentView:
    deployment_id = deployment.id
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_MACHINE, deployment_id))
    transaction.session.refresh(deployment)
    return StaffDeploymentView.of(transaction.session, deployment)


def _check_deployment(session: Session, name: str, deployment_id: UUID) -> None:
    deployment = session.get(Deployment, deployment_id)
    if deployment is None or deployment.machine_id != find_machine(session, name).id:
        raise NotFound(f"machine '{name}' has no such deployment")
