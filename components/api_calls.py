"""Requests to the control plane's own API that may be sent twice. Blocks; what went wrong is for the caller to word."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

TRIES = 6
"""With the pauses between them about half a minute: an API that is being restarted is away for seconds."""
_AWAY = frozenset({429, 502, 503, 504})
_BROKEN = 500


class ApiAway(Exception):  # noqa: N818 - what it is
    """There was no good answer, however often it was asked.

    Attributes:
        status: of HTTP, if anything answered at all.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class ApiRefusal(Exception):  # noqa: N818 - what it is
    """The API understood and said no.

    Attributes:
        status: of HTTP.
        problem: the problem document (RFC 9457), empty if something else than the API has answered.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status}")
        self.status, self.problem = status, problem


def send(  # noqa: PLR0913 -- a request has four parts, and how long to try has two
    http: httpx.Client,
    method: str,
    path: str,
    body: Any = None,
    *,
    pause: Callable[[float], None] = time.sleep,
    tries: int = TRIES,
) -> httpx.Response:
    """Send a request, again for as long as the API is away; returns the first answer that is a success.

    Args:
        http: with the API's address and what authorises us there.
        method: of HTTP; the request must be one that may be made twice.
        path: below that address.
        body: sent as JSON.
        pause: waits so many seconds.
        tries: how often it is sent at most.

    Raises:
        ApiAway: if it stayed away.
        ApiRefusal: at once, if it said no.
    """
    attempts = Retrying(
        stop=stop_after_attempt(tries),
        wait=wait_exponential(max=10),
        retry=retry_if_exception_type(ApiAway),
        sleep=pause,
        reraise=True,
    )
    return attempts(_once, http, method, path, body)


def _once(http: httpx.Client, method: str, path: str, body: Any) -> httpx.Response:
    try:
        answer = http.request(method, path, json=body)
    except httpx.TransportError as error:
        raise ApiAway(f"{type(error).__name__} {error}".strip()) from None
    if answer.is_success:
        return answer
    problem = _problem_of(answer)
    if answer.status_code in _AWAY or (answer.status_code >= _BROKEN and not problem):
        raise ApiAway(f"it answers {answer.status_code}", answer.status_code)
    raise ApiRefusal(answer.status_code, problem)


def _problem_of(answer: httpx.Response) -> Mapping[str, Any]:
    """The problem document, or nothing if something else than the API has answered."""
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
