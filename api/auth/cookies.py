"""The session cookie."""

from datetime import datetime

from fastapi import Request, Response

from api.auth.models import Role
from api.settings import Settings

SECURE_COOKIE = "__Host-slipway"
"""The ``__Host-`` prefix makes browsers insist on Secure, the path ``/`` and no domain (RFC 6265bis, 4.1.3.2)."""

PLAIN_COOKIE = "slipway"
"""For development without TLS (``secure_cookies=False``): browsers refuse the prefix there."""


def session_token_of(request: Request, settings: Settings) -> str | None:
    """Return the value of the request's session cookie."""
    return request.cookies.get(_name(settings))


def set_session_cookie(
    response: Response, settings: Settings, token: str, expires_at: datetime, role: Role = Role.CUSTOMER
) -> None:
    """Give the browser its session; that of staff is not sent along with a link from another site at all."""
    response.set_cookie(
        _name(settings),
        token,
        expires=expires_at,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax" if role is Role.CUSTOMER else "strict",
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    response.delete_cookie(_name(settings), path="/", secure=settings.secure_cookies, httponly=True, samesite="lax")


def _name(settings: Settings) -> str:
    return SECURE_COOKIE if settings.secure_cookies else PLAIN_COOKIE
