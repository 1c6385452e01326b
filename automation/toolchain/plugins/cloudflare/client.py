"""Cloudflare's API, version 4, over HTTP. See https://developers.cloudflare.com/api/."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3

DEFAULT_BASE_URL = "https://api.cloudflare.com/client/v4"

# Codes of "it is already there": identical record; a record that excludes this one at that name; a zone, a tunnel of
# that name; the one ruleset that a zone may have in a phase.
_CONFLICTS = frozenset({81053, 81054, 81057, 81058, 1061, 1013, 20217})

_TIMEOUT = urllib3.Timeout(connect=10.0, read=30.0)
# The limit is 1200 requests in five minutes; Retry-After is followed. A request that was refused for its rate was not
# carried out, one that ended in a server error may have been: only what can be repeated is.
_REPEATED = (429, 500, 502, 503, 504)
_REPEATED_OF_POST = (429,)


class CloudflareError(Exception):
    """Cloudflare could not be asked or refused; the message is for the operator.

    Attributes:
        status: of HTTP; 0 if there was no answer.
        codes: Cloudflare's own error codes.
    """

    def __init__(self, message: str, status: int = 0, codes: frozenset[int] = frozenset()) -> None:
        super().__init__(message)
        self.status = status
        self.codes = codes

    @property
    def is_absence(self) -> bool:
        """The object is not there."""
        return self.status == 404  # noqa: PLR2004 -- HTTP's "not found"

    @property
    def is_uncertain(self) -> bool:
        """Whether what was asked may have been done all the same: there was no answer, or a server's own error."""
        return self.status == 0 or self.status >= 500  # noqa: PLR2004 -- HTTP

    @property
    def is_conflict(self) -> bool:
        """An object that excludes this one is there."""
        return bool(self.codes & _CONFLICTS)


class CloudflareClient:
    """Calls the API; blocks up to the time-outs and retries.

    Args:
        token: an API token.
        base_url: a trailing slash does not matter.
        patience: how often a request is tried again, with growing pauses.
    """

    def __init__(self, token: str, base_url: str = DEFAULT_BASE_URL, *, patience: int = 5) -> None:
        retries = urllib3.Retry(
            total=patience, backoff_factor=0.5, status_forcelist=_REPEATED, allowed_methods=None, raise_on_status=False
        )
        self._retries = retries
        self._retries_of_post = retries.new(status_forcelist=_REPEATED_OF_POST, read=0)
        self._base_url = base_url.rstrip("/")
        self._pool = urllib3.PoolManager(
            maxsize=4,
            timeout=_TIMEOUT,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "User-Agent": "slipway-cloudflare-plugin",
            },
        )

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Make one request; returns the answer's ``result``.

        Raises:
            CloudflareError: no answer, or a refusal.
        """
        try:
            response = self._pool.request(
                method,
                self._base_url + path,
                fields=dict(query) if query else None,
                body=json.dumps(body).encode() if body is not None else None,
                retries=self._retries_of_post if method == "POST" else self._retries,
            )
        except urllib3.exceptions.HTTPError as error:
            raise CloudflareError(f"Cloudflare did not answer {method} {path}: {error}") from error
        return self._result(method, path, response)

    @staticmethod
    def _result(method: str, path: str, response: urllib3.BaseHTTPResponse) -> Any:
        if response.status == 204:  # noqa: PLR2004 -- HTTP's "no content": a ruleset is deleted without a word
            return None
        try:
            answer = json.loads(response.data or b"{}")
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("success") and response.status < 400:  # noqa: PLR2004 -- HTTP
            return answer.get("result")
        errors = answer.get("errors") or [] if isinstance(answer, dict) else []
        told = "; ".join(f"{error.get('message')} (code {error.get('code')})" for error in errors)
        raise CloudflareError(
            f"Cloudflare refused {method} {path} with status {response.status}: {told or 'no reason given'}",
            response.status,
            frozenset(error["code"] for error in errors if isinstance(error.get("code"), int)),
        )
