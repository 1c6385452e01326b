"""Policy: everybody of staff reads it, an administrator sets it."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from api.auth.models import User
from api.policy.models import PolicyVersion
from api.policy.settings import PolicySettings, policy_in_force, set_policy
from api.runtime import RuntimeDep, SessionDep
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.rendering import done, page
from api.web.visitor import Admin, Support
from components.policy.rules import RULES

router = APIRouter()
_VERSIONS = 20
_LAST = 2_000_000_000


class VersionForm(BaseModel):
    """Which version was looked at, and why it changes."""

    version: Annotated[int, Field(ge=0, le=_LAST)]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of the policy as the form shows it."""

    name: str
    title: str
    meaning: str
    unit: str
    value: Any
    least: int
    most: int


@router.get("/admin/policy")
def show_policy(request: Request, visitor: Support, session: SessionDep) -> Response:
    """Show the settings in force, the rules, and who set what before."""
    versions = session.execute(
        select(PolicyVersion, User.email.label("email"))
        .join(User, User.id == PolicyVersion.set_by)
        .order_by(PolicyVersion.version.desc())
        .limit(_VERSIONS)
    ).all()
    policy = policy_in_force(session)
    return page(
        request,
        visitor,
        "policy.html",
        policy=policy,
        settings=_settings(policy.settings),
        rules=RULES,
        versions=versions,
    )


@router.post("/admin/policy")
def change_policy(visitor: Admin, form: FormDep, runtime: RuntimeDep, session: SessionDep) -> Response:
    """Put new settings in force, unless somebody else has since the form was shown."""
    about = parse(VersionForm, {name: form[name] for name in ("version", "reason") if name in form})
    settings = parse(PolicySettings, {name: form[name] for name in PolicySettings.model_fields if name in form})
    version = set_policy(session, visitor.principal, settings, about.reason, seen=about.version)
    said = f"Version {version} is in force. Plans that wait are judged by it when they are applied."
    return done(runtime, visitor, "/admin/policy", Flash("good", said))


def _settings(policy: PolicySettings) -> list[Setting]:
    """Describe each setting by the schema that checks it."""
    schema = PolicySettings.model_json_schema()["properties"]
    return [
        Setting(
            name=name,
            title=name.removesuffix("_cents").removesuffix("_hours").replace("_", " "),
            meaning=field["description"],
            unit=next((unit for unit in ("cents", "hours") if name.endswith(unit)), "people"),
            value=getattr(policy, name),
            least=field["minimum"],
            most=field["maximum"],
        )
        for name, field in schema.items()
    ]
