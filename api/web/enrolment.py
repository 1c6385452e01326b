"""Forms to enrol a machine, and to change what is told of one; what is wrong is said beside each field."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import Actor
from api.errors import Conflict, InvalidInput, NotFound
from api.inventory.models import Site
from api.machines.endpoints import EnrolmentDep
from api.machines.inputs import MachineFacts, MachineIn, MachinePatch
from api.machines.models import BmcDriver, Machine
from api.runtime import RuntimeDep, SessionDep
from api.web.flash import Flash
from api.web.forms import FormDep
from api.web.rendering import done, page
from api.web.visitor import Operator, Visitor
from components.specs.machine import MachineState

router = APIRouter(prefix="/admin/machines")
_MAY_BE_MISSING = frozenset({"boot_address", "server_number", "vlan", "bmc_password"})
_FIELDS = tuple(MachineFacts.model_fields)
_WHOLE = "form"
"""Where what is wrong with no single field is said."""
_UNPROCESSABLE = 422


@router.get("/new")
def new_machine(request: Request, visitor: Operator, session: SessionDep) -> Response:
    """Show the form for a machine that is new to us."""
    return _form(request, visitor, session, {"bmc_driver": BmcDriver.REDFISH.value, "bmc_verify_tls": "true"})


@router.post("/new")
def enrol(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: Request,
    visitor: Operator,
    form: FormDep,
    runtime: RuntimeDep,
    session: SessionDep,
    enrolment: EnrolmentDep,
) -> Response:
    """Enrol a machine; it is inspected once somebody asks for that."""
    try:
        machine = enrolment.enroll(MachineIn.model_validate(_told(form, MachineIn)), Actor.of(visitor.principal))
    except ValidationError as error:
        return _form(request, visitor, session, form, wrong=_complaints(error, form), status=_UNPROCESSABLE)
    except (InvalidInput, Conflict) as error:
        return _form(request, visitor, session, form, wrong=_complaint(error), status=error.status)
    said = "It is enrolled. Have it inspected next: then it is wiped, and offered."
    return done(runtime, visitor, f"/admin/machines/{machine.id}", Flash("good", said))


@router.get("/{machine_id}/edit")
def edit_machine(machine_id: UUID, request: Request, visitor: Operator, session: SessionDep) -> Response:
    """Show the form with what is told of a machine."""
    machine = _find(session, machine_id)
    return _form(request, visitor, session, _recorded(session, machine), machine)


@router.post("/{machine_id}/edit")
def save_machine(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    machine_id: UUID,
    request: Request,
    visitor: Operator,
    form: FormDep,
    runtime: RuntimeDep,
    session: SessionDep,
    enrolment: EnrolmentDep,
) -> Response:
    """Change what is told of a machine."""
    machine = _find(session, machine_id)
    try:
        patch = MachinePatch.model_validate(_told(form, MachinePatch))
        enrolment.edit(machine.name, patch, Actor.of(visitor.principal))
    except ValidationError as error:
        return _form(request, visitor, session, form, machine, wrong=_complaints(error, form), status=_UNPROCESSABLE)
    except (InvalidInput, Conflict) as error:
        return _form(request, visitor, session, form, machine, wrong=_complaint(error), status=error.status)
    return done(runtime, visitor, f"/admin/machines/{machine_id}", Flash("good", "It is changed."))


def _form(  # noqa: PLR0913 - what one form shows
    request: Request,
    visitor: Visitor,
    session: Session,
    values: Mapping[str, str],
    machine: Machine | None = None,
    *,
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Show the form; whatever was typed stays, but a password does not."""
    return page(
        request,
        visitor,
        "machine_form.html",
        status=status,
        machine=machine,
        values={field: values.get(field, "") for field in _FIELDS},
        wrong=wrong or {},
        whole=_WHOLE,
        sites=session.scalars(select(Site.slug).order_by(Site.slug)).all(),
        drivers=list(BmcDriver),
        is_fixed=machine is not None and machine.state not in {MachineState.ENROLL, MachineState.QUARANTINE},
    )


def _told(form: Mapping[str, str], model: type[MachineIn | MachinePatch]) -> dict[str, Any]:
    """Return the fields of a form as the model wants them; an empty one is nothing, or left out if that is no value."""
    told: dict[str, Any] = {}
    for name in model.model_fields.keys() & form.keys():
        text = form[name].strip() if name != "bmc_password" else form[name]
        told[name] = None if name in _MAY_BE_MISSING and not text else text
    if "macs" in told:
        told["macs"] = told["macs"].replace(",", " ").split()
    return told | {"bmc_verify_tls": form.get("bmc_verify_tls") == "true"}


def _complaints(error: ValidationError, form: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong by field, in words; nothing of what was typed is in it."""
    found: dict[str, str] = {}
    for one in error.errors(include_input=False, include_url=False):
        field = str(one["loc"][0]) if one["loc"] else _WHOLE
        is_empty = field != _WHOLE and not form.get(field, "").strip()
        found.setdefault(field, "Fill this in." if is_empty else _words(one["type"], one["msg"]))
    return found


def _words(kind: str, message: str) -> str:
    if kind == "int_parsing":
        return "This is a whole number."
    if kind == "string_pattern_mismatch":
        return "Some sign in it cannot be there, or it is too long."
    text = message.removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:]}."


def _complaint(error: InvalidInput | Conflict) -> dict[str, str]:
    return {str(error.fields.get("field") or _WHOLE): f"{error.detail}."}


def _recorded(session: Session, machine: Machine) -> dict[str, str]:
    values = {field: getattr(machine, field, None) for field in _FIELDS}
    values |= {
        "site": session.get_one(Site, machine.site_id).slug,
        "macs": "\n".join(mac for mac in machine.macs if mac != machine.boot_mac),
        "bmc_verify_tls": "true" if machine.bmc_verify_tls else "",
        "bmc_driver": machine.bmc_driver.value,
    }
    return {field: "" if value is None else str(value) for field, value in values.items()}


def _find(session: Session, machine_id: UUID) -> Machine:
    machine = session.get(Machine, machine_id)
    if machine is None:
        raise NotFound("there is no such machine")
    return machine
