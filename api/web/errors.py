"""Errors as pages."""

from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from api.auth.errors import WrongCredentials
from api.errors import NotFound, SlipwayError, Unauthenticated
from api.problems import request_id_of
from api.web.areas import Area, area_of
from api.web.rendering import go, page


def error_page(request: Request, error: SlipwayError) -> Response | None:
    """Make a page of an error where pages are; None elsewhere, where programs ask."""
    area = area_of(request.url.path)
    if area is None:
        return None
    if isinstance(error, Unauthenticated) and not isinstance(error, WrongCredentials):
        return _to_login(request, area)
    visitor = getattr(request.state, "visitor", None)
    if visitor is None and isinstance(error, NotFound):
        error = NotFound(f"there is no such page: the {area.first_page} leads to all that there are")
    response = page(
        request,
        visitor,
        "error.html",
        status=error.status,
        error=error,
        request_id=request_id_of(request),
        back=_back(request, area),
        fresh_url=error.fields.get("fresh_url"),
    )
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = str(error.fields.get("retry_after_seconds", 5))
    return response


def _to_login(request: Request, area: Area) -> Response:
    """Ask for a login, and come back afterwards.

    A browser sends staff's cookie with no link from another site. Such a visitor may be logged in: the page that asks
    again is ours, so the cookie comes along the second time.
    """
    if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
        return page(request, None, "again.html")
    if request.method != "GET":
        return go(area.login)
    if "text/event-stream" in request.headers.get("accept", ""):
        return HTMLResponse("", status_code=HTTPStatus.NO_CONTENT)  # tells an EventSource to give up
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return go(area.login if target == area.prefix else f"{area.login}?{urlencode({'next': target})}")


def _back(request: Request, area: Area) -> str:
    """Return the page of ours that a browser came from; only its path, so that it cannot lead elsewhere."""
    came_from = urlsplit(request.headers.get("referer", ""))
    is_ours = came_from.path.startswith(f"{area.prefix}/") and "\\" not in came_from.path
    if not is_ours or came_from.path == request.url.path:
        return area.prefix
    return came_from.path + (f"?{came_from.query}" if came_from.query else "")
