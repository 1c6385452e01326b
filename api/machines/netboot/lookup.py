"""Finds and locks what a machine's request is about. Row locks: machine, then deployment."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.auth.credentials import digest, matches
from api.errors import NotFound
from api.machines.deployments import Deployments
from api.machines.errors import DeploymentOver
from api.machines.lifecycle import lock_machine
from api.machines.models import Deployment, DeploymentStatus, Machine
from api.machines.netboot.decision import is_for
from api.machines.netboot.errors import SessionRefused, TokenRefused
from api.operations.models import Operation


def lock_deployment(session: Session, deployment_id: UUID) -> tuple[Machine, Deployment]:
    """Return a deployment and its machine, locked until the transaction ends.

    Raises:
        NotFound: if there is none.
    """
    machine_id = session.scalar(select(Deployment.machine_id).where(Deployment.id == deployment_id))
    if machine_id is None:
        raise NotFound("there is no such deployment")
    machine = lock_machine(session, machine_id)
    machine.last_seen_at = session.execute(select(func.now())).scalar_one()
    return machine, Deployments(session).lock(deployment_id)


def is_cancelled(session: Session, deployment: Deployment) -> bool:
    """Tell whether somebody has asked for the end of the operation that a deployment belongs to."""
    if deployment.operation_id is None:
        return False
    asked = select(Operation.cancel_requested_at).where(Operation.id == deployment.operation_id)
    return session.execute(asked).scalar_one() is not None


def check_under_way(session: Session, machine: Machine, deployment: Deployment) -> None:
    """Refuse to go on with a deployment that has ended, is being cancelled, or whose machine has moved on.

    Raises:
        DeploymentOver: the machine must touch nothing more.
    """
    if deployment.status is not DeploymentStatus.OPEN:
        raise DeploymentOver(f"this deployment has ended ({deployment.status}): touch nothing more")
    if not is_for(machine.state, deployment.kind):
        raise DeploymentOver(f"the machine is '{machine.state}' now: touch nothing more")
    if is_cancelled(session, deployment):
        raise DeploymentOver("this deployment was cancelled: touch nothing more")


def authorise(session: Session, deployment_id: UUID, secret: str) -> tuple[Machine, Deployment]:
    """Return the deployment that a boot's session stands for, with its machine, locked.

    Raises:
        NotFound: if there is no such deployment.
        DeploymentOver: if it is over; this is told to whoever asks, for a session that has ended is not kept.
        SessionRefused: if the session is not this boot's.
    """
    machine, deployment = lock_deployment(session, deployment_id)
    check_under_way(session, machine, deployment)
    if deployment.session_hash is None or not matches(secret, deployment.session_hash):
        raise SessionRefused("this is not the session of the machine's present boot")
    return machine, deployment


def lock_by_token(session: Session, token: str) -> tuple[Machine, Deployment]:
    """Return the deployment that a boot script's token was made for, with its machine, locked.

    Raises:
        TokenRefused: if there is none that is open.
    """
    found = session.scalar(select(Deployment.id).where(Deployment.token_hash == digest(token)))
    if found is None:
        raise TokenRefused("this token is not known: it was replaced, or its deployment is over")
    machine, deployment = lock_deployment(session, found)
    if deployment.token_hash is None or not matches(token, deployment.token_hash):
        raise TokenRefused("this token was replaced by a newer one")
    check_under_way(session, machine, deployment)
    return machine, deployment
