"""What is recorded: who did what to which thing, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from api.audit.models import ActorKind

if TYPE_CHECKING:
    from api.auth.caller import Principal

CUSTOMER_NAME = "customer"
"""Customers appear by id only: nothing can be taken out of the trail again, and a person may ask for that."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it.

    Attributes:
        user_id: a person's account.
        name: a member of staff's address, or a part of the system. None is looked up when the record is written.
    """

    kind: ActorKind
    user_id: UUID | None
    name: str | None

    @classmethod
    def person(cls, user_id: UUID) -> Self:
        """Return a person of whom only the account's id is at hand."""
        return cls(ActorKind.PERSON, user_id, None)

    @classmethod
    def of(cls, principal: "Principal") -> Self:
        """Return who makes a request."""
        return cls.person(principal.user_id)

    @classmethod
    def by(cls, user_id: UUID | None) -> "Actor":
        """Return the person with this account; None is the control plane itself."""
        return SYSTEM if user_id is None else cls.person(user_id)

    @classmethod
    def part(cls, name: str) -> Self:
        """Return a named part of the system, such as the command line of whoever runs it."""
        return cls(ActorKind.SYSTEM, None, name)


SYSTEM = Actor(ActorKind.SYSTEM, None, "slipway")
"""The control plane itself."""

OPERATOR_SHELL = Actor.part("command line")
"""Whoever runs Slipway, by ``slipway …`` on its database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A change of state.

    Attributes:
        action: ``area.verb``, stable, for programs.
        subject_type: the kind of thing that changed, such as ``workload``.
        reason: a sentence; never a secret.
        diff: what changed, field by field as ``changed`` makes it, or any JSON object.
        cost_before_cents: of the thing, a month; likewise ``cost_after_cents``.
        result: how it ended, where it can end in several ways.
    """

    action: str
    actor: Actor
    subject_type: str
    subject_id: UUID | str
    reason: str
    plan_id: UUID | None = None
    diff: Mapping[str, Any] | None = None
    cost_before_cents: int | None = None
    cost_after_cents: int | None = None
    duration_seconds: float | None = None
    result: str | None = None


def changed(**fields: tuple[Any, Any]) -> dict[str, Any]:
    """Return a diff of fields, each given as (before, after)."""
    return {name: {"before": before, "after": after} for name, (before, after) in fields.items()}


def differences_of_things(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a diff of several things by name, each as ``differences`` has it; those that are alike are left out."""
    found = {
        name: differences(before.get(name, {}), after.get(name, {})) for name in sorted(before.keys() | after.keys())
    }
    return {name: diff for name, diff in found.items() if diff}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return a diff of two documents' members: those that are alike are left out, an absent one is None."""
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
