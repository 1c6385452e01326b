"""Who is calling, and what they may do.

A route that needs somebody says so in its signature::

    def list_workloads(principal: Annotated[Principal, require("workloads:read")]) -> Page[WorkloadOut]:

Repositories are then built with ``principal.user_id``, so that another customer's rows are out of their reach.
"""

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer, SecurityScopes

from api.auth.authentication import Authenticator
from api.auth.caller import Caller, Principal, Via
from api.auth.cookies import SECURE_COOKIE, session_token_of
from api.auth.credentials import matches
from api.auth.errors import AccountSuspended, CsrfTokenRequired, MissingScope, SessionRequired
from api.auth.scopes import Scope
from api.errors import Unauthenticated
from api.limits import LimitsDep, client_address
from api.runtime import RuntimeDep

__all__ = ["CSRF_HEADER", "Principal", "Via", "count_request", "require", "require_session"]

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# These two only describe the credentials in the OpenAPI document; ``identify`` reads them.
_BEARER = HTTPBearer(scheme_name="token", bearerFormat="slw_…", description="An API token.", auto_error=False)
_COOKIE = APIKeyCookie(
    scheme_name="session",
    name=SECURE_COOKIE,
    description=f"A browser's session; anything but a read also needs `{CSRF_HEADER}`, as given by the login.",
    auto_error=False,
)


def identify(request: Request, runtime: RuntimeDep) -> Caller | None:
    """Return whose credentials the request carries; None if it has none, or none that are good.

    A token beats a cookie, and a bad token is not made up for by a good cookie. The look-up has a transaction of its
    own, which is over before the route begins.
    """
    header = request.headers.get("authorization")
    cookie = session_token_of(request, runtime.settings)
    if header is None and cookie is None:
        return None
    with runtime.database.transaction() as transaction:
        authenticator = Authenticator(transaction.session)
        if header is not None:
            scheme, _, token = header.partition(" ")
            return authenticator.by_token(token.strip()) if scheme.lower() == "bearer" else None
        return authenticator.by_session(cookie) if cookie is not None else None


CallerDep = Annotated[Caller | None, Depends(identify)]


def count_request(request: Request, caller: CallerDep, limits: LimitsDep) -> None:
    """Count the request against its credential, or against its address if it has no good one.

    Raises:
        RateLimited: if the minute's share is used.
    """
    if caller is None:
        limits.count_request(f"address:{client_address(request)}")
    else:
        limits.count_request(f"{caller.principal.via}:{caller.principal.credential_id}")


async def authorize(
    request: Request,
    needed: SecurityScopes,
    caller: CallerDep,
    _token: Annotated[object, Depends(_BEARER)],
    _cookie: Annotated[object, Depends(_COOKIE)],
) -> Principal:
    """Return the principal, if its credential allows what the route needs.

    Raises:
        Unauthenticated: without a good credential.
        AccountSuspended: if the account is.
        CsrfTokenRequired: if a cookie alone asks for more than a read.
        MissingScope: if the token lacks a scope.
    """
    if caller is None:
        raise Unauthenticated("send 'Authorization: Bearer slw_…' with a valid API token, or log in at /v1/auth/login")
    if caller.is_suspended:
        raise AccountSuspended("this account is suspended: contact support")
    if request.method not in _SAFE_METHODS and not _is_csrf_safe(request, caller):
        raise CsrfTokenRequired(f"send the 'csrf_token' of the login, or of /v1/me, as the header {CSRF_HEADER}")
    missing = [scope for scope in needed.scopes if Scope(scope) not in caller.principal.scopes]
    if missing:
        who = "this is for staff: it needs" if missing[0] == Scope.ADMIN else "this needs a token with"
        raise MissingScope(f"{who} the scope '{missing[0]}'", required_scopes=missing)
    return caller.principal


def _is_csrf_safe(request: Request, caller: Caller) -> bool:
    """Tell whether the request proves that the sender could read what we told the browser's owner."""
    if caller.csrf_hash is None:
        return True  # no browser attaches a token by itself
    return matches(request.headers.get(CSRF_HEADER, ""), caller.csrf_hash)


def require(scope: str) -> Any:
    """Declare that a route needs a caller with ``scope``; for use within ``Annotated[Principal, …]``.

    Raises:
        ValueError: at import, if there is no such scope.
    """
    return Security(authorize, scopes=[Scope(scope).value])


async def _authorize_session(principal: Annotated[Principal, require("account")]) -> Principal:
    if principal.via is not Via.SESSION:
        raise SessionRequired("this is for a browser's session: a token is ended by revoking it")
    return principal


def require_session() -> Any:
    """Declare that a route needs a browser's session; for use within ``Annotated[Principal, …]``."""
    return Depends(_authorize_session)
