"""Logging in and out, and one's own sessions."""

import secrets
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ValidationError

from api.auth.accounts import Sessions
from api.auth.cookies import clear_session_cookie, session_token_of, set_session_cookie
from api.auth.credentials import csrf_token_of
from api.auth.endpoints import AuthServiceDep
from api.auth.errors import AccountSuspended, CsrfTokenRequired, RoleRequired, WrongCredentials
from api.auth.fields import Email, Password
from api.errors import SlipwayError
from api.limits import LimitsDep, client_address
from api.runtime import RuntimeDep, SessionDep
from api.settings import Settings
from api.web import flash
from api.web.areas import CUSTOMERS, STAFF, Area, area_of
from api.web.forms import CSRF_FIELD, FormDep
from api.web.rendering import done, go, page
from api.web.visitor import Owner, Support

router = APIRouter()
_COOKIE = "slipway-login"


class LoginForm(BaseModel):
    """Who wants in."""

    email: Email
    password: Password


@router.get(STAFF.login)
@router.get(CUSTOMERS.login)
def show_login(
    request: Request, runtime: RuntimeDep, to: Annotated[str, Query(alias="next", max_length=2000)] = "", out: str = ""
) -> Response:
    """Show the form."""
    said = "You are logged out; all your sessions have ended." if out else ""
    return _form(request, runtime.settings, to=to, said=said, tone="good")


@router.post(STAFF.login)
@router.post(CUSTOMERS.login)
def log_in(
    request: Request, form: FormDep, runtime: RuntimeDep, service: AuthServiceDep, limits: LimitsDep
) -> Response:
    """Open a session, under a new token, for whom these pages are for; go to the page that was asked for."""
    area = _area(request)
    target = form.get("next", "")
    if not secrets.compare_digest(
        form.get(CSRF_FIELD, "").encode(), csrf_token_of(request.cookies.get(_COOKIE, "")).encode()
    ):
        raise CsrfTokenRequired("this form was not sent from its page, or is too old: log in again")
    try:
        entered = LoginForm.model_validate({"email": form.get("email", ""), "password": form.get("password", "")})
    except ValidationError:
        return _form(request, runtime.settings, to=target, said="Fill in your email address and password.", status=422)
    limits.count_login(client_address(request), entered.email)
    previous = session_token_of(request, runtime.settings)
    try:
        opened = service.log_in(
            entered.email,
            entered.password.get_secret_value(),
            previous,
            needed=area.least,
            customers_only=area is CUSTOMERS,
        )
    except (WrongCredentials, AccountSuspended, RoleRequired) as refusal:
        return _refused(request, runtime.settings, target, entered.email, refusal)
    response = go(target if area.leads_here(target) else area.prefix)
    set_session_cookie(response, runtime.settings, opened.token, opened.cookie_expires_at, opened.account.role)
    response.delete_cookie(_COOKIE, path=area.login)
    return response


@router.post("/admin/logout")
def log_out(visitor: Support, runtime: RuntimeDep, session: SessionDep) -> Response:
    """End all sessions of the visitor, wherever one was left open."""
    Sessions(session).close_all(visitor.principal.user_id)
    response = go(f"{STAFF.login}?out=1")
    clear_session_cookie(response, runtime.settings)
    return response


@router.post("/my/logout")
def log_customer_out(visitor: Owner, runtime: RuntimeDep, session: SessionDep) -> Response:
    """End all sessions of the visitor, wherever one was left open."""
    Sessions(session).close_all(visitor.principal.user_id)
    response = go(f"{CUSTOMERS.login}?out=1")
    clear_session_cookie(response, runtime.settings)
    return response


@router.get("/admin/sessions")
def list_sessions(request: Request, visitor: Support, session: SessionDep) -> Response:
    """List the visitor's own sessions."""
    return page(request, visitor, "sessions.html", sessions=Sessions(session).live(visitor.principal.user_id))


@router.post("/admin/sessions/{session_id}/end")
def end_session(session_id: UUID, visitor: Support, runtime: RuntimeDep, session: SessionDep) -> Response:
    """End one of the visitor's own sessions; another's are out of reach."""
    Sessions(session).close_one(visitor.principal.user_id, session_id)
    return done(runtime, visitor, "/admin/sessions", flash.Flash("good", "The session has ended."))


def _refused(request: Request, settings: Settings, to: str, email: str, refusal: SlipwayError) -> Response:
    whom = "staff" if _area(request) is STAFF else "customers"
    said = f"These pages are for {whom}." if isinstance(refusal, RoleRequired) else f"{refusal.detail}."
    return _form(request, settings, to=to, said=said[:1].upper() + said[1:], status=refusal.status, email=email)


def _form(  # noqa: PLR0913 - what one form shows
    request: Request,
    settings: Settings,
    *,
    to: str,
    said: str = "",
    tone: str = "bad",
    status: int = 200,
    email: str = "",
) -> Response:
    """Show the form with a token of its own: there is no session yet that one could follow from."""
    token = secrets.token_urlsafe(32)
    context: dict[str, Any] = {"csrf_token": csrf_token_of(token), "next": to, "said": said, "tone": tone}
    response = page(request, None, "login.html", status=status, email=email, **context)
    response.set_cookie(
        _COOKIE,
        token,
        path=_area(request).login,
        secure=settings.secure_cookies,
        httponly=True,
        samesite="strict",
        max_age=3600,
    )
    return response


def _area(request: Request) -> Area:
    return area_of(request.url.path) or STAFF
