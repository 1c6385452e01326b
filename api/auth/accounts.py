"""Accounts and their sessions, in one transaction of the caller's."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.auth.credentials import csrf_token_of, digest, new_session_token
from api.auth.errors import EmailTaken
from api.auth.models import LoginSession, User
from api.db.constraints import violated_constraint

SESSION_LIFETIME = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session with its secrets, which are told once."""

    account: User
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime


class Accounts:
    """All accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, email: str, password_hash: str) -> User:
        """Add a customer.

        Args:
            email: normalised.
            password_hash: as made by ``Passwords``.

        Raises:
            EmailTaken: if there is an account with the address.
        """
        user = User(email=email, password_hash=password_hash)
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
        expires_at = datetime.now(UTC) + SESSION_LIFETIME
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

    def close(self, session_id: UUID) -> None:
        """End a session."""
        self._session.execute(delete(LoginSession).where(LoginSession.id == session_id))

    def close_by_token(self, token: str) -> None:
        """End the session of a cookie, if there is one."""
        self._session.execute(delete(LoginSession).where(LoginSession.token_hash == digest(token)))

    def close_others(self, user_id: UUID, kept_id: UUID) -> None:
        """End all sessions of an account but one."""
        self._session.execute(delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id != kept_id))
