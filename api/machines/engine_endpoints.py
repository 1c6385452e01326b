"""The routes for engines' children: one machine, by a grant that is void with its operation's lease.

Whoever asks has no account; the grant says it all. ``docs/bare-metal.md`` is the contract.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import Unauthenticated
from api.machines.engine import EngineMachine
from api.machines.engine_schemas import (
    ClaimIn,
    DeploymentIn,
    DeploymentView,
    FailureIn,
    GrantedMachineView,
    PhaseIn,
    ProfileView,
)
from api.machines.grants import Grant, MachineGrants
from api.machines.lifetimes import lifetimes
from api.machines.models import Machine
from api.runtime import RuntimeDep, SessionDep
from components.specs.machine import BootProfile

router = APIRouter(prefix="/metal", tags=["metal"])
_BEARER = HTTPBearer(
    scheme_name="grant", bearerFormat="slg_…", description="A grant for one operation on one machine.", auto_error=False
)


def get_grant(
    request: Request, session: SessionDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Grant:
    """Return what the request's grant allows; within the request's transaction, so that it holds until its commit.

    Raises:
        Unauthenticated: without a grant, or with one that is void.
    """
    if credentials is None:
        raise Unauthenticated("send the operation's grant as 'Authorization: Bearer slg_…'")
    return MachineGrants(session).resolve(credentials.credentials, holds=request.method != "GET")


GrantDep = Annotated[Grant, Depends(get_grant)]


def get_engine_machine(runtime: RuntimeDep, session: SessionDep, grant: GrantDep) -> EngineMachine:
    """Build the use case for the request's grant."""
    return EngineMachine(session, grant, lifetimes(runtime.settings))


EngineMachineDep = Annotated[EngineMachine, Depends(get_engine_machine)]
_NOTHING = status.HTTP_204_NO_CONTENT


@router.get("/machine")
def get_granted_machine(session: SessionDep, grant: GrantDep) -> GrantedMachineView:
    """Return the machine as it is now."""
    return GrantedMachineView.of(session, session.get_one(Machine, grant.machine_id), grant)


@router.put("/claim", status_code=_NOTHING)
def claim_machine(body: ClaimIn, machine: EngineMachineDep) -> Response:
    """Confirm that the machine is this workload's; 409 `wrong_machine` or `conflict` if it is not."""
    machine.claim(body.machine_id, body.serial)
    return Response(status_code=_NOTHING)


@router.delete("/claim", status_code=_NOTHING)
def release_machine(machine: EngineMachineDep) -> Response:
    """Give the machine back to the pool; 409 `not_wiped` without the wipe gate's proof."""
    machine.release()
    return Response(status_code=_NOTHING)


@router.put("/profile")
def put_boot_profile(body: BootProfile, machine: EngineMachineDep) -> ProfileView:
    """Keep what the next installation writes."""
    return ProfileView(profile_digest=machine.set_profile(body))


@router.delete("/profile", status_code=_NOTHING)
def delete_boot_profile(machine: EngineMachineDep) -> Response:
    """Have nothing to install any more."""
    machine.clear_profile()
    return Response(status_code=_NOTHING)


@router.post("/deployments")
def open_deployment(
    body: DeploymentIn, machine: EngineMachineDep, session: SessionDep, grant: GrantDep
) -> DeploymentView:
    """Open a deployment, or return the one with this key, however it ended."""
    return DeploymentView.of(session, machine.open(body.kind, body.key), grant)


@router.get("/deployments/{deployment_id}")
def get_granted_deployment(
    deployment_id: UUID, machine: EngineMachineDep, session: SessionDep, grant: GrantDep
) -> DeploymentView:
    """Return one of the workload's deployments."""
    return DeploymentView.of(session, machine.find(deployment_id), grant)


@router.post("/deployments/{deployment_id}/phase")
def tell_phase(
    deployment_id: UUID, body: PhaseIn, machine: EngineMachineDep, session: SessionDep, grant: GrantDep
) -> DeploymentView:
    """Tell that the machine is switched on (`power`), or that what was done to it is verified (`done`)."""
    return DeploymentView.of(session, machine.phase(deployment_id, body.phase, body.detail), grant)


@router.post("/deployments/{deployment_id}/fail")
def fail_deployment(
    deployment_id: UUID, body: FailureIn, machine: EngineMachineDep, session: SessionDep, grant: GrantDep
) -> DeploymentView:
    """Give a deployment up; a wipe that failed puts the machine into quarantine."""
    return DeploymentView.of(session, machine.fail(deployment_id, body.code, body.detail), grant)


@router.post("/rescue/leave", status_code=_NOTHING)
def leave_rescue(machine: EngineMachineDep) -> Response:
    """Have the customer's own system again; the caller restarts the machine."""
    machine.leave_rescue()
    return Response(status_code=_NOTHING)
