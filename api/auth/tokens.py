"""API tokens of one account."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, record
from api.auth.caller import Principal, Via
from api.auth.credentials import digest, new_api_token
from api.auth.errors import MissingScope, TooMany
from api.auth.models import ApiToken
from api.auth.scopes import Scope
from api.errors import InvalidInput, NotFound

MAX_TOKENS = 100
MAX_LIFETIME = timedelta(days=3650)


class ApiTokens:
    """The tokens of the account ``owner_id``; no others are in its reach."""

    def __init__(self, session: Session, owner_id: UUID) -> None:
        self._session = session
        self._owner_id = owner_id

    def live(self) -> Select[ApiToken]:
        """Select the tokens that are not revoked."""
        return select(ApiToken).where(ApiToken.user_id == self._owner_id, ApiToken.revoked_at.is_(None))

    def create(
        self, creator: Principal, name: str, scopes: Iterable[Scope], expires_at: datetime | None
    ) -> tuple[ApiToken, str]:
        """Make a token and return it with its secret, which is not kept.

        Raises:
            MissingScope: if the creator does not have all these scopes itself.
            InvalidInput: if it expires in the past, too late, or after the token that creates it.
            TooMany: if the account has as many tokens as it may.
        """
        _check_scopes(creator, scopes)
        _check_expiry(creator, expires_at)
        count = self._session.scalar(select(func.count()).select_from(self.live().subquery())) or 0
        if count >= MAX_TOKENS:
            raise TooMany(f"an account has at most {MAX_TOKENS} tokens: revoke one first")
        secret = new_api_token()
        token = ApiToken(
            user_id=self._owner_id,
            name=name,
            token_hash=digest(secret),
            scopes=sorted(scopes),
            expires_at=expires_at,
        )
        self._session.add(token)
        self._session.flush()
        self._session.refresh(token)
        diff = {"name": name, "scopes": token.scopes, "expires_at": expires_at}
        self._record("api_token.create", token, "an API token was made", diff)
        return token, secret

    def revoke(self, token_id: UUID) -> None:
        """End a token now.

        Raises:
            NotFound: if the account has no such token, or it is revoked already.
        """
        token = self._session.scalar(self.live().where(ApiToken.id == token_id))
        if token is None:
            raise NotFound("this account has no such token")
        token.revoked_at = datetime.now(UTC)
        self._record("api_token.revoke", token, "an API token was revoked", {"name": token.name})

    def _record(self, action: str, token: ApiToken, reason: str, diff: Mapping[str, Any]) -> None:
        actor = Actor.person(self._owner_id)
        entry = AuditEntry(
            action=action, actor=actor, subject_type="api_token", subject_id=token.id, reason=reason, diff=diff
        )
        record(self._session, entry)


def _check_scopes(creator: Principal, scopes: Iterable[Scope]) -> None:
    """Refuse what the creator cannot do itself: else any token with the scope 'account' would be all-powerful."""
    excess = sorted(set(scopes) - creator.scopes)
    if excess:
        raise MissingScope(
            f"'scopes': a token cannot give '{excess[0]}', which its creator does not have", required_scopes=excess
        )


def _check_expiry(creator: Principal, expires_at: datetime | None) -> None:
    now = datetime.now(UTC)
    if expires_at is not None and not now < expires_at <= now + MAX_LIFETIME:
        raise InvalidInput(f"'expires_at' must lie ahead, by at most {MAX_LIFETIME.days} days; or leave it out")
    last = creator.expires_at if creator.via is Via.TOKEN else None
    if last is not None and (expires_at is None or expires_at > last):
        raise InvalidInput(f"'expires_at' must not be after {last.isoformat()}, when the creating token expires")
