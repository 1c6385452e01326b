"""Accounts and their sessions, in one transaction of the caller's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.auth.credentials import csrf_token_of, digest, new_session_token
from api.auth.errors import EmailTaken
from api.auth.models import LoginSession, Role, User
from api.db.constraints import violated_constraint
from api.errors import NotFound


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session may last: unused, and at all."""

    idle: timedelta
    absolute: timedelta


_CUSTOMER = Lifetime(idle=timedelta(days=14), absolute=timedelta(days=14))
_STAFF = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


def lifetime_of(role: Role) -> Lifetime:
    """Return how long a session lasts: whoever may touch other people's things logs in each working day."""
    return _CUSTOMER if role is Role.CUSTOMER else _STAFF


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session with its secrets, which are told once."""

    account: User
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime

    @property
    def cookie_expires_at(self) -> datetime:
        """When the browser may forget the session: until then, the row decides."""
        lifetime = lifetime_of(self.account.role)
        return self.expires_at + (lifetime.absolute - lifetime.idle)


class Accounts:
    """All accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, email: str, password_hash: str, role: Role = Role.CUSTOMER) -> User:
        """Add an account.

        Args:
            email: normalised.
            password_hash: as made by ``Passwords``.
            role: what it may do; no route of customers lets them choose.

        Raises:
            EmailTaken: if there is an account with the address.
        """
        user = User(email=email, password_hash=password_hash, role=role)
        try:
            with self._session.begin_nested():
                self._session.add(user)
        except IntegrityError as error:
            if violated_constraint(error) != "uq_users_email_lower":
                raise
            raise EmailTaken("there is an account with this 'email': log in instead") from None
        self._session.refresh(user)
        return user

    def get(self, user_id: UUID) -> User:
        """Return an account that is known to exist."""
        return self._session.get_one(User, user_id)

    def set_role(self, email: str, role: Role) -> User:
        """Give an account another role; it holds at once, for sessions and tokens that are already out too.

        Raises:
            NotFound: if there is no such account.
        """
        user = self._session.scalar(select(User).where(User.email == email).with_for_update())
        if user is None:
            raise NotFound("there is no account with this 'email'")
        user.role = role
        return user

    def lock_unchanged(self, verified: User) -> User | None:
        """Lock an account, unless its password changed since ``verified`` was read."""
        query = select(User).where(User.id == verified.id, User.password_hash == verified.password_hash)
        return self._session.scalar(query.with_for_update())


class Sessions:
    """Browser sessions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, account: User) -> OpenedSession:
        """Open a session under a new token, and forget those of the account that have expired."""
        token = new_session_token()
        csrf_token = csrf_token_of(token)
        expires_at = datetime.now(UTC) + lifetime_of(account.role).idle
        self._session.execute(
            delete(LoginSession).where(LoginSession.user_id == account.id, LoginSession.expires_at < func.now())
        )
        self._session.add(
            LoginSession(
                user_id=account.id, token_hash=digest(token), csrf_hash=digest(csrf_token), expires_at=expires_at
            )
        )
        self._session.flush()
        return OpenedSession(account, token, csrf_token, expires_at)

    def close_by_token(self, token: str) -> None:
        """End the session of a cookie, if there is one."""
        self._session.execute(delete(LoginSession).where(LoginSession.token_hash == digest(token)))

    def close_others(self, user_id: UUID, kept_id: UUID) -> None:
        """End all sessions of an account but one."""
        self._session.execute(delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id != kept_id))

    def close_all(self, user_id: UUID) -> None:
        """End all sessions of an account."""
        self._session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))

    def close_one(self, user_id: UUID, session_id: UUID) -> None:
        """End one session of an account; of another's, nothing happens."""
        theirs = (LoginSession.user_id == user_id, LoginSession.id == session_id)
        self._session.execute(delete(LoginSession).where(*theirs))

    def live(self, user_id: UUID) -> Sequence[LoginSession]:
        """Return the sessions of an account that have not ended, the newest first."""
        query = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.expires_at > func.now())
        return self._session.scalars(query.order_by(LoginSession.id.desc())).all()
