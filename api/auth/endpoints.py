"""Routes of accounts, sessions, API tokens and SSH keys."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from api.auth.accounts import Accounts, Sessions
from api.auth.cookies import clear_session_cookie, session_token_of, set_session_cookie
from api.auth.credentials import csrf_token_of
from api.auth.models import ApiToken, SshKey
from api.auth.passwords import Passwords
from api.auth.principal import Principal, Via, require, require_session
from api.auth.schemas import (
    AccountOut,
    LoginIn,
    MeOut,
    NewTokenOut,
    PasswordChangeIn,
    RegisterIn,
    SessionOut,
    SshKeyIn,
    SshKeyOut,
    TokenIn,
    TokenOut,
)
from api.auth.service import AuthService
from api.auth.ssh_keys import SshKeys
from api.auth.tokens import ApiTokens
from api.limits import LimitsDep, client_address
from api.pages import Page, PageDep, fetch_page
from api.runtime import RuntimeDep, SessionDep

router = APIRouter()


async def get_auth_service(request: Request, runtime: RuntimeDep) -> AuthService:
    """Build the service on the password hasher that ``create_app`` made."""
    passwords = request.app.state.passwords
    if not isinstance(passwords, Passwords):
        raise TypeError("app.state.passwords is not a Passwords: build the app with create_app")
    return AuthService(runtime.database, passwords)


AuthServiceDep = Annotated[AuthService, Depends(get_auth_service)]
AccountHolder = Annotated[Principal, require("account")]
KeyReader = Annotated[Principal, require("keys:read")]
KeyWriter = Annotated[Principal, require("keys:write")]


@router.post("/auth/register", status_code=status.HTTP_201_CREATED, tags=["account"])
def register(body: RegisterIn, request: Request, service: AuthServiceDep, limits: LimitsDep) -> AccountOut:
    """Open an account."""
    limits.count_login(client_address(request), body.email)
    return AccountOut.model_validate(service.register(body.email, body.password.get_secret_value()))


@router.post("/auth/login", tags=["account"])
def log_in(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    body: LoginIn,
    request: Request,
    response: Response,
    runtime: RuntimeDep,
    service: AuthServiceDep,
    limits: LimitsDep,
) -> SessionOut:
    """Open a session: the answer sets its cookie and tells its CSRF token."""
    limits.count_login(client_address(request), body.email)
    previous = session_token_of(request, runtime.settings)
    opened = service.log_in(body.email, body.password.get_secret_value(), previous)
    set_session_cookie(response, runtime.settings, opened.token, opened.cookie_expires_at, opened.account.role)
    return SessionOut(
        account=AccountOut.model_validate(opened.account),
        csrf_token=opened.csrf_token,
        expires_at=opened.expires_at,
    )


@router.post("/auth/logout", status_code=status.HTTP_204_NO_CONTENT, tags=["account"])
def log_out(
    principal: Annotated[Principal, require_session()], response: Response, runtime: RuntimeDep, session: SessionDep
) -> None:
    """End the session in use."""
    Sessions(session).close_one(principal.user_id, principal.credential_id)
    clear_session_cookie(response, runtime.settings)


@router.get("/me", tags=["account"])
def me(principal: AccountHolder, request: Request, runtime: RuntimeDep, session: SessionDep) -> MeOut:
    """Return the account, and what the credential in use allows."""
    account = AccountOut.model_validate(Accounts(session).get(principal.user_id))
    cookie = session_token_of(request, runtime.settings) if principal.via is Via.SESSION else None
    return MeOut(
        **account.model_dump(),
        via=principal.via,
        scopes=sorted(principal.scopes),
        csrf_token=csrf_token_of(cookie) if cookie else None,
    )


@router.put("/me/password", status_code=status.HTTP_204_NO_CONTENT, tags=["account"])
def change_password(
    body: PasswordChangeIn, principal: AccountHolder, request: Request, service: AuthServiceDep, limits: LimitsDep
) -> None:
    """Set a new password; all other sessions end."""
    limits.count_login(client_address(request), principal.email)
    service.change_password(principal, body.current_password.get_secret_value(), body.new_password.get_secret_value())


@router.get("/tokens", tags=["account"])
def list_tokens(principal: AccountHolder, session: SessionDep, page: PageDep) -> Page[TokenOut]:
    """List the account's API tokens that are not revoked."""
    tokens = ApiTokens(session, principal.user_id)
    return fetch_page(session, tokens.live(), ApiToken.id, page, TokenOut.model_validate)


@router.post("/tokens", status_code=status.HTTP_201_CREATED, tags=["account"])
def create_token(body: TokenIn, principal: AccountHolder, session: SessionDep) -> NewTokenOut:
    """Make an API token; the answer shows its secret, this once."""
    tokens = ApiTokens(session, principal.user_id)
    token, secret = tokens.create(principal, body.name, body.scopes, body.expires_at)
    return NewTokenOut(**TokenOut.model_validate(token).model_dump(), token=secret)


@router.delete("/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["account"])
def revoke_token(token_id: UUID, principal: AccountHolder, session: SessionDep) -> None:
    """Revoke an API token at once."""
    ApiTokens(session, principal.user_id).revoke(token_id)


@router.get("/ssh-keys", tags=["ssh keys"])
def list_ssh_keys(principal: KeyReader, session: SessionDep, page: PageDep) -> Page[SshKeyOut]:
    """List the account's SSH keys."""
    keys = SshKeys(session, principal.user_id)
    return fetch_page(session, keys.all(), SshKey.id, page, SshKeyOut.model_validate)


@router.post("/ssh-keys", status_code=status.HTTP_201_CREATED, tags=["ssh keys"])
def add_ssh_key(body: SshKeyIn, principal: KeyWriter, session: SessionDep) -> SshKeyOut:
    """Add an SSH key that new workloads can be given."""
    return SshKeyOut.model_validate(SshKeys(session, principal.user_id).add(body.name, body.public_key))


@router.delete("/ssh-keys/{ssh_key_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["ssh keys"])
def delete_ssh_key(ssh_key_id: UUID, principal: KeyWriter, session: SessionDep) -> None:
    """Delete an SSH key; workloads that were made with it keep it."""
    SshKeys(session, principal.user_id).delete(ssh_key_id)
