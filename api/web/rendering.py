"""Templates, and the headers that pages go out with."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.runtime import Runtime
from api.web import flash, machine_words, words
from api.web.areas import STAFF, Area, area_of
from api.web.visitor import Visitor

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

PAGE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        # Forms prove by it where they come from; without it a browser would send "Origin: null".
        "Referrer-Policy": "same-origin",
    }
)
"""Nothing inline, nothing from elsewhere: a name that a customer chose can become neither script nor style."""


class Assets:
    """Our stylesheet, script and icon, read once. Their addresses hold a digest, so browsers may keep them for ever."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        self._digests = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in self._files.items()}

    def url(self, area: Area, name: str) -> str:
        """Return the address of a file: each half of the pages has its own, for either may be kept off a network."""
        return f"{area.prefix}/static/{self._digests[name]}/{name}"

    def response(self, digest: str, name: str) -> Response | None:
        """Return a file; None if there is no such version of it."""
        if self._digests.get(name) != digest:
            return None
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(self._files[name], media_type=_TYPES[Path(name).suffix], headers=headers)


ASSETS = Assets(_HERE / "static")


def _environment() -> Environment:
    # StrictUndefined: a misspelt name fails a test instead of showing an empty cell.
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": words.moment,
        "money": words.money,
        "memory": words.memory,
        "words": words.words,
        "tone": words.tone,
        "workload_tone": words.workload_tone,
        "short": words.short,
        "plain": words.plain,
        "span": words.span,
        **machine_words.FILTERS,
    }
    made.globals |= {"percent": words.percent, "between": words.between}
    return made


_ENVIRONMENT = _environment()


def page(request: Request, visitor: Visitor | None, template: str, *, status: int = 200, **context: Any) -> Response:
    """Render a page for a visitor (or for nobody, as the login is)."""
    area = area_of(request.url.path) or STAFF
    message = flash.take(request, visitor.csrf_token) if visitor else None
    html = _ENVIRONMENT.get_template(template).render(
        visitor=visitor,
        area=area,
        asset=partial(ASSETS.url, area),
        flash=message,
        path=request.url.path,
        now=datetime.now(UTC),
        query=request.query_params,
        **context,
    )
    response = HTMLResponse(html, status_code=status, headers=dict(PAGE_HEADERS))
    if message is not None:
        flash.clear(response, area.prefix)
    return response


def go(to: str) -> Response:
    """Send a browser on to a path of ours, to be read anew (303: whatever it sent is not sent again)."""
    return RedirectResponse(to, status_code=303, headers=dict(PAGE_HEADERS))


def done(runtime: Runtime, visitor: Visitor, to: str, message: flash.Flash) -> Response:
    """Send a browser on with a message."""
    response = go(to)
    area = area_of(to) or STAFF
    flash.leave(response, runtime.settings, visitor.csrf_token, message, area.prefix)
    return response
