"""Finds the account behind a credential."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from api.auth.accounts import lifetime_of
from api.auth.caller import Caller, Principal, Via
from api.auth.credentials import TOKEN_PREFIX, digest
from api.auth.models import ApiToken, LoginSession, User
from api.auth.scopes import Scope, scopes_of

_USE_IS_NOTED_EVERY = timedelta(minutes=1)


class Authenticator:
    """Looks credentials up by their digest; the database's clock decides whether they have expired."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def by_session(self, token: str, *, is_use: bool = True) -> Caller | None:
        """Return who holds this session cookie, if the session is still good.

        ``is_use`` keeps it from falling idle; a page that refreshes itself is no sign that somebody is there.
        """
        query = (
            select(LoginSession, User, func.now())
            .join(User, User.id == LoginSession.user_id)
            .where(LoginSession.token_hash == digest(token), LoginSession.expires_at > func.now())
        )
        found = self._session.execute(query).one_or_none()
        if found is None:
            return None
        login, user, now = found
        if is_use:
            self._note_use(login, user, now)
        scopes = scopes_of(user.role)
        principal = Principal(user.id, user.email, user.role, scopes, Via.SESSION, login.id, login.expires_at)
        return Caller(principal, user.suspended_at is not None, login.csrf_hash)

    def by_token(self, token: str) -> Caller | None:
        """Return who holds this API token, if it is still good, and note its use."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        used_long_ago = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < func.now() - _USE_IS_NOTED_EVERY)
        query = (
            select(ApiToken, User, used_long_ago)
            .join(User, User.id == ApiToken.user_id)
            .where(
                ApiToken.token_hash == digest(token),
                ApiToken.revoked_at.is_(None),
                or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now()),
            )
        )
        found = self._session.execute(query).one_or_none()
        if found is None:
            return None
        row, user, is_use_to_be_noted = found
        if is_use_to_be_noted:
            # At most once a minute: a busy token must not turn every read into a write.
            self._session.execute(update(ApiToken).where(ApiToken.id == row.id).values(last_used_at=func.now()))
        scopes = frozenset(Scope(scope) for scope in row.scopes) & scopes_of(user.role)
        principal = Principal(user.id, user.email, user.role, scopes, Via.TOKEN, row.id, row.expires_at)
        return Caller(principal, user.suspended_at is not None)

    def _note_use(self, login: LoginSession, user: User, now: datetime) -> None:
        """Move the end of a session that is in use, never past its absolute one; at most once a minute."""
        lifetime = lifetime_of(user.role)
        end = min(now + lifetime.idle, login.created_at + lifetime.absolute)
        if end - login.expires_at >= _USE_IS_NOTED_EVERY:
            # By id and not through the object: a log-out at this moment may have deleted the row.
            self._session.execute(update(LoginSession).where(LoginSession.id == login.id).values(expires_at=end))
