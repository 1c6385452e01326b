"""The policy in force: read by whoever judges a plan, set by an administrator, kept in versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, differences, record
from api.auth.caller import Principal
from api.auth.models import Role
from api.auth.staff import check_role
from api.policy.errors import PolicyMoved
from api.policy.models import PolicyVersion
from components.policy.settings import PolicySettings

__all__ = ["CurrentPolicy", "PolicySettings", "current_policy", "policy_in_force", "set_policy"]


@dataclass(frozen=True, slots=True)
class CurrentPolicy:
    """The settings in force, and where they come from; version 0 are the shipped defaults, which nobody set."""

    version: int
    settings: PolicySettings
    set_by: UUID | None = None
    reason: str = "the defaults of this release"
    at: datetime | None = None


def current_policy(session: Session) -> PolicySettings:
    """Return the settings in force; one query."""
    return policy_in_force(session).settings


def policy_in_force(session: Session) -> CurrentPolicy:
    """Return the settings in force with their version; one query."""
    row = session.scalars(select(PolicyVersion).order_by(PolicyVersion.version.desc()).limit(1)).one_or_none()
    if row is None:
        return CurrentPolicy(0, PolicySettings())
    return CurrentPolicy(row.version, _read(row.document), row.set_by, row.reason, row.at)


def set_policy(session: Session, person: Principal, settings: PolicySettings, reason: str, *, seen: int) -> int:
    """Put new settings in force; returns their version.

    Plans that wait for approval are judged again when they are applied, by what is in force then.

    Args:
        session: within a transaction; the caller commits.
        person: an administrator.
        settings: the whole document.
        reason: why, for those who come after.
        seen: the version that the person looked at.

    Raises:
        RoleRequired: if the person is no administrator.
        PolicyMoved: if another version is in force by now.
    """
    check_role(person.role, Role.ADMIN)
    before = policy_in_force(session)
    document = settings.model_dump(mode="json")
    values = {"version": seen + 1, "document": document, "set_by": person.user_id, "reason": reason}
    # Two administrators at once: the second one waits here, and then finds the number taken.
    added = insert(PolicyVersion).values(values).on_conflict_do_nothing().returning(PolicyVersion.version)
    if before.version != seen or session.execute(added).one_or_none() is None:
        raise PolicyMoved(
            f"'version': the policy is no longer version {seen}; look at it again, then repeat the change"
        )
    entry = AuditEntry(
        action="policy.set",
        actor=Actor.of(person),
        subject_type="policy",
        subject_id=str(seen + 1),
        reason=reason,
        diff=differences(before.settings.model_dump(mode="json"), document),
    )
    record(session, entry)
    return seen + 1


def _read(document: Mapping[str, Any]) -> PolicySettings:
    """Leave out what an earlier release knew and this one does not; what is new has its default."""
    return PolicySettings.model_validate({key: document[key] for key in PolicySettings.model_fields if key in document})
