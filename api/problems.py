"""Every error as an RFC 9457 problem document."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.errors import Conflict, InvalidInput, NotFound, PayloadTooLarge, RateLimited, SlipwayError, Unauthenticated

_log = structlog.get_logger(__name__)

ErrorPage = Callable[[Request, SlipwayError], Response | None]
"""Makes a page of an error, for the addresses that browsers look at; None for all others."""

MEDIA_TYPE = "application/problem+json"
_MAX_ERRORS = 20
_MAX_NAME = 100
_RETRY_AFTER_SECONDS = 5
_FIXES = {
    "missing": "this is required: add it",
    "extra_forbidden": "there is no such field: remove it",
}
"""Where pydantic only says what is wrong: what to do."""


class FieldError(BaseModel):
    """What is wrong with one field of a request, and how to put it right."""

    location: Literal["body", "query", "path", "header", "cookie"]
    field: str = Field(examples=["ssh_keys.0"])
    pointer: str | None = Field(default=None, description="JSON pointer into the body (RFC 6901), as a fragment")
    detail: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": True})

    type: str = Field(description="`urn:slipway:problem:` and the code", examples=["urn:slipway:problem:not_found"])
    title: str
    status: int
    detail: str
    code: str = Field(description="stable, for programs", examples=["not_found"])
    retryable: bool = Field(description="whether the same request may succeed later without a change")
    request_id: str
    errors: list[FieldError] = Field(default=[], description="the fields at fault, if any are")


class ServiceUnavailable(SlipwayError):  # noqa: N818 - the status' own name
    """Something that we need is away for the moment; nothing was changed."""

    code = "service_unavailable"
    title = "Temporarily unavailable"
    status = 503
    retryable = True


class ConcurrentChange(Conflict):
    """Another request changed the same thing at the same time."""

    code = "concurrent_change"
    title = "Changed by another request at the same time"
    retryable = True


class MethodNotAllowed(SlipwayError):  # noqa: N818 - the status' own name
    """The route exists, but not for this method."""

    code = "method_not_allowed"
    title = "Method not allowed"
    status = 405


class BadRequest(SlipwayError):  # noqa: N818 - the status' own name
    """The request cannot be read at all."""

    code = "bad_request"
    title = "The request could not be read"
    status = 400


class InternalError(SlipwayError):
    """A fault of ours; what it was stands in the log under the request's id, never in the answer."""


def problem_response(error: SlipwayError, request_id: str, errors: Sequence[FieldError] = ()) -> Response:
    """Render an error."""
    problem = Problem(
        type=f"urn:slipway:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        retryable=error.retryable,
        request_id=request_id,
        errors=list(errors),
        **error.fields,
    )
    return Response(
        problem.model_dump_json(exclude_defaults=True),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers=_headers(error),
    )


def request_id_of(request: Request) -> str:
    """Return the id that ``RequestContext`` gave the request."""
    return str(getattr(request.state, "request_id", "none"))


def answer(request: Request, error: SlipwayError, errors: Sequence[FieldError] = ()) -> Response:
    """Render an error for whoever asked: a page for a browser at our pages (``app.state.error_page``), or a problem."""
    app = request.scope.get("app")
    render: ErrorPage | None = getattr(app.state, "error_page", None) if app else None
    page = render(request, error) if render else None
    return page or problem_response(error, request_id_of(request), errors)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every exception of a route with a problem document; the unforeseen is ``RequestContext``'s."""
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        SlipwayError: _on_slipway_error,
        RequestValidationError: _on_invalid_request,
        HTTPException: _on_http_exception,
        IntegrityError: _on_concurrent_change,
        DataError: _on_unstorable,
        UnicodeEncodeError: _on_unstorable,
        OperationalError: _on_unavailable,
        InterfaceError: _on_unavailable,
        PoolTimeout: _on_unavailable,
        RedisError: _on_unavailable,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _on_slipway_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, SlipwayError):
        raise error
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("problem", code=error.code, exc_info=error)
    return answer(request, error)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    errors = [_field_error(entry) for entry in found[:_MAX_ERRORS]]
    summary = "; ".join(f"{entry.field or entry.location}: {entry.detail}" for entry in errors[:3])
    more = f"; and {len(found) - 3} more" if len(found) > len(errors[:3]) else ""
    return answer(request, InvalidInput(summary + more), errors)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Render what the router and FastAPI raise: no such route, wrong method, unreadable body."""
    if not isinstance(error, HTTPException):
        raise error
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            problem: SlipwayError = NotFound("there is nothing at this address: /v1/openapi.json lists what there is")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            problem = MethodNotAllowed(f"{request.method} is not possible here: the Allow header lists what is")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            problem = PayloadTooLarge(error.detail)
        case status if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            problem = BadRequest("the request could not be read: send UTF-8 JSON as application/json")
        case _:
            problem = InternalError("nothing is known to have changed: report the request_id if it happens again")
    response = answer(request, problem)
    response.headers.update(error.headers or {})
    return response


async def _on_concurrent_change(request: Request, error: Exception) -> Response:
    """A constraint caught what a service's own check could not see: two requests at once."""
    _log.warning("constraint", exc_info=error)
    conflict = ConcurrentChange("another request changed the same thing at the same time: look again, then retry")
    return answer(request, conflict)


async def _on_unstorable(request: Request, error: Exception) -> Response:
    """A value that PostgreSQL cannot hold: a NUL or lone surrogate in a text, a number or date out of range."""
    _log.warning("unstorable", exc_info=error)
    text = "a value cannot be stored: send Unicode text without NUL, and numbers and dates in range"
    return answer(request, InvalidInput(text))


async def _on_unavailable(request: Request, error: Exception) -> Response:
    _log.error("dependency away", exc_info=error)
    return answer(request, ServiceUnavailable("nothing was changed: try again shortly"))


def _field_error(entry: Mapping[str, Any]) -> FieldError:
    """Turn pydantic's error into ours, leaving out ``input`` and ``ctx``: they repeat what was sent, secrets too."""
    location, *path = entry["loc"]
    names = [_printable(str(part))[:_MAX_NAME] for part in path]
    if entry["type"] == "json_invalid":
        return FieldError(location="body", field="", pointer="#", detail="this is not valid JSON")
    return FieldError(
        location=location,
        field=".".join(names),
        pointer="#" + "".join(f"/{_escape(name)}" for name in names) if location == "body" else None,
        detail=_FIXES.get(entry["type"]) or _printable(entry["msg"]).removeprefix("Value error, "),
    )


def _printable(text: str) -> str:
    """Replace lone surrogates, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _escape(name: str) -> str:
    """Escape a name for a JSON pointer in a URI fragment (RFC 6901, sections 3 and 6)."""
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="~")


def _headers(error: SlipwayError) -> dict[str, str]:
    """Return the header fields that go with an error (RFC 9110, sections 10.2.3 and 11.6.1)."""
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="slipway"'
    if isinstance(error, RateLimited | ServiceUnavailable):
        headers["Retry-After"] = str(error.fields.get("retry_after_seconds", _RETRY_AFTER_SECONDS))
    return headers
