"""What the account's routes take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.auth.caller import Via
from api.auth.fields import Email, Label, NewPassword, Password
from api.auth.models import Role
from api.auth.scopes import Scope
from components.specs import SshPublicKey


class _Input(BaseModel):
    """An unknown field is an error: a misspelt one would otherwise be ignored in silence."""

    model_config = ConfigDict(extra="forbid")


class _Output(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RegisterIn(_Input):
    """A new customer."""

    email: Email
    password: NewPassword


class LoginIn(_Input):
    """Who wants in."""

    email: Email
    password: Password


class PasswordChangeIn(_Input):
    """The old password proves that it is the owner who sets the new one."""

    current_password: Password
    new_password: NewPassword


class AccountOut(_Output):
    """An account."""

    id: UUID
    email: str
    role: Role
    created_at: datetime


class SessionOut(BaseModel):
    """A new session; its cookie comes with the answer."""

    account: AccountOut
    csrf_token: str = Field(description="send it as `X-CSRF-Token` with every request that is not a read")
    expires_at: datetime


class MeOut(AccountOut):
    """The account, and what the credential in use allows."""

    via: Via
    scopes: list[Scope]
    csrf_token: str | None = Field(description="of the session in use; null for a token, which needs none")


class TokenIn(_Input):
    """A token to be made."""

    name: Label
    scopes: Annotated[set[Scope], Field(min_length=1)]
    expires_at: AwareDatetime | None = None


class TokenOut(_Output):
    """A token, without its secret."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewTokenOut(TokenOut):
    """A new token with its secret, which is shown this once."""

    token: str


class SshKeyIn(_Input):
    """An SSH public key."""

    name: Label
    public_key: SshPublicKey


class SshKeyOut(_Output):
    """An SSH public key with its fingerprint."""

    id: UUID
    name: str
    public_key: str
    fingerprint: str
    created_at: datetime
