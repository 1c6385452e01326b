"""A message for the next page, carried by a cookie: what was just done, or why not.

The cookie is signed with the session's CSRF token, so that nobody who can plant a cookie can put words on our pages.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from typing import Literal

from fastapi import Request, Response

from api.settings import Settings

_NAME = "slipway-flash"
_SECONDS = 60
_MAX_TEXT = 600
Tone = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Flash:
    """A message; ``link`` is a path of ours where to go on."""

    tone: Tone
    text: str
    link: str | None = None
    link_text: str | None = None


def leave(response: Response, settings: Settings, key: str, flash: Flash, path: str = "/admin") -> None:
    """Send a message along to the next page below ``path``."""
    fields = asdict(flash) | {"text": flash.text[:_MAX_TEXT]}
    content = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
    response.set_cookie(
        _NAME,
        f"{content}.{_sign(content, key)}",
        max_age=_SECONDS,
        path=path,
        secure=settings.secure_cookies,
        httponly=True,
        samesite="strict",
    )


def take(request: Request, key: str) -> Flash | None:
    """Return the message that was left for this page; None if there is none, or it is not ours."""
    content, _, signature = request.cookies.get(_NAME, "").partition(".")
    if not content or not hmac.compare_digest(signature.encode(), _sign(content, key).encode()):
        return None
    try:
        return Flash(**json.loads(base64.urlsafe_b64decode(content)))
    except (binascii.Error, ValueError, TypeError):
        return None


def clear(response: Response, path: str = "/admin") -> None:
    """Forget the message once it was shown."""
    response.delete_cookie(_NAME, path=path)


def _sign(content: str, key: str) -> str:
    return hmac.new(key.encode(), content.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
