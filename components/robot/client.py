"""One login at Robot. Thread-safe; every call blocks."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from components.robot.budget import RequestBudget
from components.robot.errors import OutOfRequests, RobotRefused, RobotUnreachable, WrongCredentials

TIMEOUT = 60.0
"""Seconds for one request: Robot talks to switches while it answers."""
TRIES = 3
"""How often a question is asked when there is no answer. A change is never sent again blindly."""
_BROKEN = 500

Fields = Mapping[str, str | int | Sequence[str | int]]


class Robot:
    """Sends one request at a time, and none after Robot has refused the login.

    The engine runs several resources at once. Were their first requests sent side by side, wrong credentials would
    lock the address out before the first refusal is read.

    Args:
        http: with Robot's address and the credentials.
        budget: what may be sent.
        pause: waits so many seconds.
    """

    def __init__(self, http: httpx.Client, budget: RequestBudget, pause: Callable[[float], None] = time.sleep) -> None:
        self._http, self._budget, self.pause = http, budget, pause
        self._one_at_a_time = threading.Lock()
        self._is_refused = False

    def get(self, path: str) -> Any:
        """Ask a question, again if there is no answer.

        Raises:
            RobotError: see :meth:`write`.
        """
        tries = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(max=10),
            retry=retry_if_exception_type(RobotUnreachable),
            sleep=self.pause,
            reraise=True,
        )
        return tries(self._send, "GET", path, None)

    def ask_once(self, path: str, seconds: float) -> Any:
        """Ask a question and wait so many seconds for the answer; it is not asked again.

        Raises:
            RobotError: see :meth:`write`.
        """
        return self._send("GET", path, None, seconds)

    def write(self, method: str, path: str, fields: Fields) -> Any:
        """Order a change, once.

        Raises:
            RobotRefused: Robot said no.
            RobotUnreachable: it may have been made; look before trying again.
            WrongCredentials: now or earlier in this process.
            OutOfRequests: nothing was sent, or Robot's own limit was met.
        """
        return self._send(method, path, fields)

    def _send(self, method: str, path: str, fields: Fields | None, seconds: float | None = None) -> Any:
        with self._one_at_a_time:
            if self._is_refused:
                raise WrongCredentials(_WRONG_CREDENTIALS)
            self._budget.take()
            try:
                timeout = httpx.USE_CLIENT_DEFAULT if seconds is None else seconds
                form = dict(fields) if fields is not None else None
                answer = self._http.request(method, path, data=form, timeout=timeout)
            except httpx.TransportError as error:
                reason = f"{type(error).__name__} {error}".strip()
                raise RobotUnreachable(f"Robot did not answer {method} {path}: {reason}; run again") from None
            return self._read(f"{method} {path}", answer)

    def _read(self, request: str, answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json() if answer.content else None
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._is_refused = True
            raise WrongCredentials(_WRONG_CREDENTIALS)
        error = _error_of(answer)
        code = str(error.get("code", "UNKNOWN"))
        if code == "RATE_LIMIT_EXCEEDED":
            self._budget.close(float(error.get("interval") or 0))
            raise OutOfRequests(f"Robot refused {request}: this login has used up its requests; run again in an hour")
        message = str(error.get("message", answer.reason_phrase))
        if answer.status_code >= _BROKEN:
            raise RobotUnreachable(f"Robot failed at {request}: {message} ({answer.status_code}); run again")
        parameters = [*(error.get("missing") or ()), *(error.get("invalid") or ())]
        raise RobotRefused(request, answer.status_code, code, message, parameters)


_WRONG_CREDENTIALS = (
    "Robot does not accept the login: check HETZNER_ROBOT_USER and HETZNER_ROBOT_PASSWORD. "
    "One try was made; after three Robot locks this address out for ten minutes"
)


def _error_of(answer: httpx.Response) -> Mapping[str, Any]:
    """The error document, or nothing if something else than Robot has answered."""
    try:
        document = answer.json()
    except ValueError:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}
