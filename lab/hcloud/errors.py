"""Errors as the API reports them: a status, a code from the public list, a message and details."""

from typing import Any

STATUS = {
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "uniqueness_error": 409,
    "deprecated_api_endpoint": 410,
    "protected": 423,
    "locked": 423,
    "rate_limit_exceeded": 429,
    "service_error": 500,
}
"""The HTTP status of each code; every other code is one of what was asked for, 422."""


class ApiError(Exception):
    """One error of the API. ``fields`` names what is wrong with the input: name and message."""

    def __init__(self, code: str, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, STATUS.get(code, 422)
        self.details: Any = None
        if code == "invalid_input":
            self.details = {"fields": [{"name": name, "messages": [text]} for name, text in (fields or {}).items()]}


def invalid(field: str, message: str) -> ApiError:
    """The error for one field of the input."""
    return ApiError("invalid_input", f"invalid input in field '{field}': {message}", {field: message})


def not_found(kind: str, identity: object) -> ApiError:
    """The error for a resource that is not there, or is another project's."""
    return ApiError("not_found", f"{kind.replace('_', ' ')} with ID '{identity}' not found")


def envelope(code: str, message: str, details: Any = None) -> dict[str, Any]:
    """The body of a failed answer."""
    return {"error": {"code": code, "message": message, "details": details}}
