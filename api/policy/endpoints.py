"""Policy: support reads it, an administrator sets it."""

from typing import Annotated

from fastapi import APIRouter

from api.auth.models import Role
from api.auth.principal import Principal
from api.auth.staff import require_role
from api.policy.schemas import PolicyRequest, PolicyView
from api.policy.settings import policy_in_force, set_policy
from api.runtime import SessionDep

router = APIRouter(prefix="/admin/policy", tags=["policy"])
Viewer = Annotated[Principal, require_role(Role.SUPPORT)]
Admin = Annotated[Principal, require_role(Role.ADMIN)]


@router.get("")
def get_policy(_viewer: Viewer, session: SessionDep) -> PolicyView:
    """Return the settings in force, who set them and why, and the rules."""
    return PolicyView.of(policy_in_force(session))


@router.put("")
def put_policy(body: PolicyRequest, person: Admin, session: SessionDep) -> PolicyView:
    """Put new settings in force; 409 if somebody else has set others since they were read."""
    set_policy(session, person, body.settings, body.reason, seen=body.version)
    return PolicyView.of(policy_in_force(session))
