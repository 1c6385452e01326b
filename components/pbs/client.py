"""One login at a Proxmox Backup Server. Thread-safe; every call blocks.

The server has a certificate that it signed for itself, and is known by that certificate's fingerprint: urllib3 checks
it, which neither requests nor httpx can.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import urllib3
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from components.pbs.errors import PbsError, PbsRefused, PbsUnreachable, WrongCredentials

TIMEOUT = 60.0
"""Seconds for one request."""
TRIES = 4
"""How often a question is asked when there is no answer. A change is never sent again blindly."""
PATIENCE = 600.0
"""Seconds that the server may take over one task."""
_BROKEN, _UNAUTHORIZED, _ERROR = 500, 401, 400


class Pbs:
    """Sends requests with a ticket that the first one fetches; a refused login is not tried twice.

    Args:
        endpoint: ``https://host:8007``.
        username: such as ``root@pam``.
        password: its password.
        fingerprint: SHA-256 of the certificate; None verifies it against the system's authorities.
        pause: waits so many seconds.

    Attributes:
        accounts: held by whoever makes or removes users and tokens: several resources share one user, and the engine
            works on them at once.
    """

    def __init__(
        self,
        endpoint: str,
        username: str,
        password: str,
        fingerprint: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pool = urllib3.PoolManager(
            timeout=TIMEOUT,
            retries=False,
            assert_fingerprint=fingerprint,
            cert_reqs="CERT_REQUIRED" if fingerprint is None else "CERT_NONE",
        )
        self._endpoint, self._username, self._password = endpoint.rstrip("/"), username, password
        self.pause = pause
        self.accounts = threading.Lock()
        self._login = threading.Lock()
        self._headers: dict[str, str] = {}
        self._refused: str | None = None

    def get(self, path: str) -> Any:
        """Ask a question, again if there is no answer.

        Raises:
            PbsError: see :meth:`write`.
        """
        tries = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(max=10),
            retry=retry_if_exception_type(PbsUnreachable),
            sleep=self.pause,
            reraise=True,
        )
        return tries(self.write, "GET", path)

    def write(self, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Any:
        """Send one request, once, and return its ``data``.

        Raises:
            PbsRefused: the server said no.
            PbsUnreachable: it may have been done; look before trying again.
            WrongCredentials: now or earlier in this process.
        """
        self._log_in()
        return self._send(method, path, fields, self._headers)

    def finish(self, upid: str | None) -> None:
        """Block until a task has ended; None is a task that needed no time.

        Raises:
            PbsError: if it failed or takes too long.
        """
        waited = 0.0
        while upid is not None:
            status = self.get(f"/nodes/localhost/tasks/{quote(upid, safe='')}/status")
            if status["status"] == "stopped":
                if status.get("exitstatus") != "OK":
                    raise PbsError(f"a task of the backup server failed: {status.get('exitstatus')} ({upid})")
                return
            if waited >= PATIENCE:
                raise PbsError(f"the backup server is still at work after {PATIENCE:.0f} s ({upid}); run again later")
            self.pause(1.0)
            waited += 1.0

    def _log_in(self) -> None:
        with self._login:
            if self._refused is not None:
                raise WrongCredentials(self._refused)
            if self._headers:
                return
            fields = {"username": self._username, "password": self._password}
            try:
                ticket = self._send("POST", "/access/ticket", fields, {})
            except PbsRefused as error:
                if error.status != _UNAUTHORIZED:
                    raise
                self._refused = (
                    f"the backup server does not accept the login of '{self._username}': check PBS_USERNAME and "
                    "PBS_PASSWORD. One try was made"
                )
                raise WrongCredentials(self._refused) from None
            self._headers = {
                "Cookie": f"PBSAuthCookie={quote(ticket['ticket'], safe='')}",
                "CSRFPreventionToken": ticket["CSRFPreventionToken"],
            }

    def _send(self, method: str, path: str, fields: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Any:
        request = f"{method} {path}"
        body = None if fields is None else json.dumps(dict(fields))
        json_headers = {**headers, "Content-Type": "application/json"} if body is not None else dict(headers)
        try:
            answer = self._pool.request(method, f"{self._endpoint}/api2/json{path}", body=body, headers=json_headers)
        except urllib3.exceptions.HTTPError as error:
            if "Fingerprints did not match" in str(error):
                raise PbsError(
                    f"{self._endpoint} shows another certificate than PBS_FINGERPRINT says; nothing was sent"
                ) from None
            raise PbsUnreachable(f"the backup server did not answer {request}: {error}; run again") from None
        if answer.status >= _BROKEN:
            raise PbsUnreachable(f"the backup server failed at {request} ({answer.status}); run again")
        if answer.status >= _ERROR:
            raise PbsRefused(request, answer.status, answer.data.decode(errors="replace"))
        return json.loads(answer.data)["data"] if answer.data else None
