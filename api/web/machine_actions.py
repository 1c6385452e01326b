"""What operators decide about a machine, as forms; the JSON routes do it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy.orm import Session

from api.audit.trail import Actor
from api.errors import InvalidInput, NotFound
from api.machines.endpoints import (
    CareDep,
    EnrolmentDep,
    Verb,
    inspect_machine,
    quarantine_machine,
    release_from_quarantine,
    retire_machine,
    switch_machine,
)
from api.machines.inputs import BmcCredentialIn, QuarantineIn, ReasonIn
from api.machines.models import Machine
from api.runtime import Runtime, RuntimeDep, SessionDep, TransactionDep
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.rendering import done
from api.web.visitor import Operator, Visitor

router = APIRouter(prefix="/admin/machines/{machine_id}")
_POWER = {"on": "switched on", "off": "switched off", "cycle": "switched off and on again"}


class DecisionForm(BaseModel):
    """Why something is done to a machine; ``affects_customer`` says that its customer was thought of."""

    reason: Reason
    affects_customer: bool = False


class PowerForm(BaseModel):
    """How a machine is switched, and why."""

    verb: Verb
    reason: Reason


class CredentialForm(BaseModel):
    """What a BMC is logged in to with."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=128)]


@router.post("/inspect")
def inspect(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    machine_id: UUID,
    visitor: Operator,
    form: FormDep,
    runtime: RuntimeDep,
    transaction: TransactionDep,
    care: CareDep,
) -> Response:
    """Have a machine inspected, then wiped and offered."""
    name, reason = _name(transaction.session, machine_id), parse(DecisionForm, form).reason
    inspect_machine(name, ReasonIn(reason=reason), visitor.principal, runtime, transaction, care)
    return _said(runtime, visitor, machine_id, f"{name} is inspected, then wiped, then offered.")


@router.post("/release")
def release(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    machine_id: UUID,
    visitor: Operator,
    form: FormDep,
    runtime: RuntimeDep,
    transaction: TransactionDep,
    care: CareDep,
) -> Response:
    """Bring a machine back from quarantine."""
    name, reason = _name(transaction.session, machine_id), parse(DecisionForm, form).reason
    release_from_quarantine(name, ReasonIn(reason=reason), visitor.principal, runtime, transaction, care)
    return _said(runtime, visitor, machine_id, f"{name} leaves quarantine: it is inspected, then wiped, then offered.")


@router.post("/quarantine")
def quarantine(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    machine_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, session: SessionDep, care: CareDep
) -> Response:
    """Take a machine out of use; what it is being booted for is stopped."""
    name, wanted = _name(session, machine_id), parse(DecisionForm, form)
    body = QuarantineIn(reason=wanted.reason, affects_customer=wanted.affects_customer)
    quarantine_machine(name, body, visitor.principal, session, care)
    return _said(runtime, visitor, machine_id, f"{name} is in quarantine: nothing happens to it until it is released.")


@router.post("/retire")
def retire(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    machine_id: UUID,
    visitor: Operator,
    form: FormDep,
    runtime: RuntimeDep,
    session: SessionDep,
    enrolment: EnrolmentDep,
) -> Response:
    """Take a machine out of the pool that is gone from the racks."""
    name, reason = _name(session, machine_id), parse(DecisionForm, form).reason
    retire_machine(name, visitor.principal, enrolment, reason)
    return done(runtime, visitor, "/admin/machines", Flash("good", f"{name} is out of the pool."))


@router.post("/power")
def switch(
    machine_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Switch a machine by its BMC, by force; a worker does it."""
    name, wanted = _name(transaction.session, machine_id), parse(PowerForm, form)
    switch_machine(name, wanted.verb, ReasonIn(reason=wanted.reason), visitor.principal, runtime, transaction)
    said = f"{name} is being {_POWER[wanted.verb]}; what came of it is in the audit trail."
    return _said(runtime, visitor, machine_id, said)


@router.post("/credential")
def deposit(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    machine_id: UUID,
    visitor: Operator,
    form: FormDep,
    runtime: RuntimeDep,
    session: SessionDep,
    enrolment: EnrolmentDep,
) -> Response:
    """Keep the password of a machine's BMC, sealed; no page ever shows it."""
    name, password = _name(session, machine_id), parse(CredentialForm, form).password
    try:
        body = BmcCredentialIn(password=password)
    except ValueError:
        raise InvalidInput("password: a BMC's password is printable characters on one line") from None
    enrolment.deposit(name, body.password.get_secret_value(), Actor.of(visitor.principal))
    return _said(runtime, visitor, machine_id, f"The password of {name}'s BMC is kept, sealed.")


def _name(session: Session, machine_id: UUID) -> str:
    machine = session.get(Machine, machine_id)
    if machine is None:
        raise NotFound("there is no such machine")
    return machine.name


def _said(runtime: Runtime, visitor: Visitor, machine_id: UUID, text: str) -> Response:
    return done(runtime, visitor, f"/admin/machines/{machine_id}", Flash("good", text))
