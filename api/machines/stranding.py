"""Machines whose workload was to go, and could not be removed: nobody knows what is on them, so a person decides."""

from sqlalchemy.orm import Session

from api.machines.lifecycle import lock_machine, move
from api.machines.outcomes import DeploymentOutcomes
from api.machines.power_wishes import PowerVerb, PowerWishes
from api.workloads.models import Workload
from components.specs.machine import MachineState

_S = MachineState
_HELD = frozenset({_S.RESERVED, _S.DEPLOYING, _S.ACTIVE, _S.RESCUE, _S.CLEANING})


def strand(session: Session, workload: Workload, why: str) -> None:
    """Put the machine of a workload into quarantine whose removal has failed for good; it stays the workload's.

    What it is still being booted for is aborted, and it is to be switched off, for its customer is gone. Does nothing
    if the workload has no machine any more, if it is in quarantine already, or on its way back by a person's decision.
    The caller has locked order, workload and operation, and commits.

    Args:
        session: the caller's.
        workload: whose removal it was, locked.
        why: a sentence.
    """
    if workload.machine_id is None:
        return
    machine = lock_machine(session, workload.machine_id)
    if machine.workload_id != workload.id or machine.state not in _HELD:
        return
    DeploymentOutcomes(session).abort(machine, "the removal of its workload was given up")
    was_untouched = machine.state is _S.RESERVED
    move(session, machine, _S.QUARANTINE, f"the removal of workload '{workload.name}' failed: {why}")
    if not was_untouched:
        PowerWishes(session).ask(machine, PowerVerb.OFF)
