"""Ends deployments that have failed, and draws the consequences for their machines."""

from sqlalchemy.orm import Session

from api.machines.deployments import Deployments
from api.machines.errors import WrongMachine
from api.machines.lifecycle import move
from api.machines.models import Deployment, DeploymentStatus, Machine
from components.specs.machine import DeploymentKind, MachineState

_SUSPECT = frozenset({DeploymentKind.WIPE, DeploymentKind.INSPECT})
"""A machine that cannot be wiped, or is not what it should be, is nobody's until a person has looked at it."""


def fail(session: Session, machine: Machine, deployment: Deployment, code: str, detail: str) -> None:
    """End an open deployment of a locked machine; the machine goes into quarantine where it cannot be trusted.

    An installation that failed leaves its machine ``deploying``, for another attempt or a wipe.
    """
    if deployment.status is not DeploymentStatus.OPEN:
        return
    deployments = Deployments(session)
    deployments.tell(deployment, f"Failed ({code}): {detail}")
    deployments.end(deployment, DeploymentStatus.FAILED, code, detail)
    if code == WrongMachine.code or deployment.kind in _SUSPECT:
        move(session, machine, MachineState.QUARANTINE, f"'{deployment.kind}' failed ({code}): {detail}")
