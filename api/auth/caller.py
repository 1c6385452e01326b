"""Whom a request's credentials belong to."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from api.auth.models import Role
from api.auth.scopes import Scope


class Via(StrEnum):
    """By what a caller proved who they are."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - a kind of credential, not one


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated account, with what its credential allows.

    Attributes:
        credential_id: the row of the session or token.
        expires_at: when the credential ends; None for a token that does not.
    """

    user_id: UUID
    email: str
    role: Role
    scopes: frozenset[Scope]
    via: Via
    credential_id: UUID
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal before it is known whether it may do what it asks for."""

    principal: Principal
    is_suspended: bool
    csrf_hash: bytes | None = field(default=None, repr=False)
