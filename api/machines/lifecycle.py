"""Moves machines through their lives; each move is checked, audited, and held against the wipe gate."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert, resolve
from api.audit.trail import SYSTEM, Actor, AuditEntry, changed, record
from api.errors import NotFound
from api.machines.errors import NotWiped
from api.machines.models import Machine
from api.machines.transitions import check_move
from components.specs.machine import MachineState

_WRITTEN_IN = frozenset(
    {MachineState.DEPLOYING, MachineState.ACTIVE, MachineState.RESCUE, MachineState.QUARANTINE, MachineState.ENROLL}
)
"""While a machine is in one of these, somebody may write to its disks, or nobody knows who did."""


def lock_machine(session: Session, machine_id: UUID) -> Machine:
    """Return a machine, locked until the transaction ends. Row locks: order, workload, operation, machine.

    Raises:
        NotFound: if there is none.
    """
    query = select(Machine).where(Machine.id == machine_id).with_for_update()
    machine = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if machine is None:
        raise NotFound("there is no such machine")
    return machine


def move(session: Session, machine: Machine, state: MachineState, reason: str, actor: Actor = SYSTEM) -> None:
    """Move a locked machine to another state; does nothing if it is there already.

    Raises:
        IllegalTransition: if its life has no such move.
        NotWiped: if it would be offered without proof that nothing has been written since its last wipe.
    """
    before = machine.state
    if before is state:
        return
    check_move(before, state)
    now = session.execute(select(func.clock_timestamp())).scalar_one()
    if before in _WRITTEN_IN or state in _WRITTEN_IN:
        machine.written_at = now
    if state is MachineState.AVAILABLE:
        _pass_wipe_gate(machine)
        machine.workload_id = machine.profile = machine.installed = None
    machine.state, machine.state_reason, machine.state_at = state, reason, now
    session.flush()
    record(
        session,
        AuditEntry(
            action="machine.state",
            actor=actor,
            subject_type="machine",
            subject_id=machine.name,
            reason=reason,
            diff=changed(state=(before, state)),
        ),
    )
    if state is MachineState.QUARANTINE:
        message = f"machine '{machine.name}' is in quarantine: {reason}"
        raise_alert(session, AlertKind.MACHINE_QUARANTINED, "machine", machine.id, message)
    elif before is MachineState.QUARANTINE:
        resolve(session, AlertKind.MACHINE_QUARANTINED, machine.id)


def is_wiped(machine: Machine) -> bool:
    """Tell whether nothing can have been written since the machine was last proven empty."""
    return machine.wiped_at is not None and (machine.written_at is None or machine.wiped_at > machine.written_at)


def _pass_wipe_gate(machine: Machine) -> None:
    if not is_wiped(machine):
        wiped = "never" if machine.wiped_at is None else f"at {machine.wiped_at:%Y-%m-%d %H:%M:%S} UTC"
        raise NotWiped(f"machine '{machine.name}' was last wiped {wiped}, and may have been written to since")
