"""Accounts and credentials. Secrets are stored as hashes only."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, Text, UniqueConstraint, func, literal_column
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum


class Role(StrEnum):
    """What an account may do beyond its own things."""

    CUSTOMER = "customer"
    SUPPORT = "support"
    OPERATOR = "operator"
    ADMIN = "admin"


class User(Base, Timestamped):
    """An account. ``email`` is stored normalised; two accounts may not differ by letter case."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_email_lower", func.lower(literal_column("email")), unique=True),)

    id: Mapped[Id]
    email: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(text_enum(Role), default=Role.CUSTOMER)
    suspended_at: Mapped[datetime | None]


class LoginSession(Base, Timestamped):
    """A browser's session; the cookie holds the token, the row its SHA-256."""

    __tablename__ = "login_sessions"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    csrf_hash: Mapped[bytes]
    expires_at: Mapped[datetime]


class ApiToken(Base, Timestamped):
    """A token for programs, limited to scopes; the row holds its SHA-256."""

    __tablename__ = "api_tokens"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SshKey(Base, Timestamped):
    """An SSH public key that new workloads can be given."""

    __tablename__ = "ssh_keys"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        UniqueConstraint("user_id", "fingerprint", name="uq_ssh_keys_fingerprint"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    public_key: Mapped[str]
    fingerprint: Mapped[str]
