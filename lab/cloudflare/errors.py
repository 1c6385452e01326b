"""What every part of the stand-in shares: the API's errors, times and ids."""

import secrets
from datetime import UTC, datetime


class ApiError(Exception):
    """An error as the API reports it: HTTP status, Cloudflare's code and message, extra headers."""

    def __init__(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def stamp() -> str:
    """Now, as the API writes times: RFC 3339 in UTC with microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """An id as most objects have it."""
    return secrets.token_hex(16)
