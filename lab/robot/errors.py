"""Errors as the webservice reports them."""

from typing import Any


class ApiError(Exception):
    """HTTP status, Robot's code and message, and members such as ``missing`` and ``invalid``."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.more = status, code, message, more

    def body(self) -> dict[str, Any]:
        """The document that goes out."""
        return {"error": {"status": self.status, "code": self.code, "message": self.message, **self.more}}


def invalid_input(*, missing: list[str] | None = None, invalid: list[str] | None = None) -> ApiError:
    """400 INVALID_INPUT, with the names of the parameters that are missing or wrong."""
    return ApiError(400, "INVALID_INPUT", "invalid input", missing=missing, invalid=invalid)
