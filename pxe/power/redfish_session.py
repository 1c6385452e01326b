"""One Redfish BMC: login, patience, and what its answers mean."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests
import sushy
from sushy import connector, exceptions
from sushy.auth import SessionAuth

from pxe.power.errors import (
    BmcBusy,
    BmcRefused,
    BmcUnreachable,
    BmcUntrusted,
    NoSuchSystem,
    NotOffered,
)
from pxe.power.gate import Gate
from pxe.power.login import Login
from pxe.power.timing import Timing

T = TypeVar("T")
_UNAUTHORIZED, _BUSY = 401, 503
_NOT_IMPLEMENTED = 501


class RedfishBmc:
    """A BMC at an address, with one login.

    Args:
        address: without ``/redfish``.
        login: ours.
        system: its id or path; empty if there is only one.
        verify: whether the certificate is checked, or against which authorities.
        timing: how long it is waited for.
    """

    def __init__(self, address: str, login: Login, *, system: str, verify: bool | Path, timing: Timing) -> None:
        self.login, self._address, self._timing = login, address.rstrip("/"), timing
        self._path = system if not system or system.startswith("/") else f"/redfish/v1/Systems/{system}"
        self._verify = str(verify) if isinstance(verify, Path) else verify
        self._gate = Gate()

    @contextmanager
    def root(self) -> Iterator[Any]:
        """A session for the length of the block, and the service root as ``sushy`` has it."""
        with self._gate.talk(), closing(self._connector(self._timing.call)) as wire:
            auth = _OneTry(self.login.user, self.login.password)
            root = self._timing.patient(lambda: self._open(wire, auth))
            try:
                yield root
            finally:
                self._close(auth)

    @contextmanager
    def system(self) -> Iterator[Any]:
        """A session for the length of the block, and the system."""
        with self.root() as root:
            yield self.ask(lambda: root.get_system(self._path or None))

    def ask(self, call: Callable[[], T]) -> T:
        """Make one call of ``sushy``'s within a session, again while the BMC has no time.

        Raises:
            PowerError: see the errors' own descriptions.
        """
        return self._timing.patient(lambda: self._said(call))

    def check(self) -> None:
        """Log in, look at the system, log out; nothing is repeated."""
        seconds = self._timing.check
        with self._gate.talk(seconds), closing(self._connector(seconds)) as wire:
            auth = _OneTry(self.login.user, self.login.password)
            root = self._open(wire, auth)
            try:
                self._said(lambda: root.get_system(self._path or None))
            finally:
                self._close(auth)

    def _connector(self, seconds: float) -> connector.Connector:
        # One "retry" is one try: with none, sushy makes three of its own, with pauses that no deadline knows of.
        wire = connector.Connector(
            self._address, verify=self._verify, server_side_retries=1, default_request_timeout=seconds
        )
        # Neither a proxy nor a .netrc of whoever runs the engine has to do with a BMC.
        wire._session.trust_env = False  # noqa: SLF001 - sushy has no other way to it
        return wire

    def _open(self, wire: connector.Connector, auth: "_OneTry") -> Any:
        try:
            return self._said(lambda: sushy.Sushy(self._address, auth=auth, connector=wire))
        except NoSuchSystem:
            raise BmcUnreachable(f"there is no Redfish at {self._address}; check SLIPWAY_BMC_ADDRESS") from None

    def _close(self, auth: "_OneTry") -> None:
        try:
            auth.close()
        except exceptions.SushyError:  # the BMC ends a session that is not used any more by itself
            auth.reset_session_attrs()

    def _said(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except exceptions.SushyError as error:
            raise self._meaning(error) from None
        except ValueError:
            raise BmcUnreachable(
                f"what answers at {self._address} does not speak Redfish; check SLIPWAY_BMC_ADDRESS"
            ) from None

    def _meaning(self, error: exceptions.SushyError) -> Exception:
        if isinstance(error, exceptions.ConnectionError):
            return self._no_answer(error)
        is_refused = isinstance(error, exceptions.AccessError) and error.status_code == _UNAUTHORIZED
        if is_refused or isinstance(error, exceptions.MissingXAuthToken):
            return BmcRefused(
                f"the BMC at {self._address} does not accept the login of '{self.login.user}': check SLIPWAY_BMC_USER "
                "and SLIPWAY_BMC_PASSWORD. One try was made"
            )
        if isinstance(error, exceptions.UnknownDefaultError):
            return NoSuchSystem(f"the BMC at {self._address} has not exactly one system; set SLIPWAY_BMC_SYSTEM")
        if isinstance(error, exceptions.HTTPError):
            return self._http(error)
        return NotOffered(f"the BMC at {self._address} lacks something that is needed: {error}")

    def _no_answer(self, error: exceptions.ConnectionError) -> Exception:
        cause = error.__context__
        if isinstance(cause, requests.exceptions.SSLError):
            return BmcUntrusted(
                f"the certificate of the BMC at {self._address} is not trusted; give SLIPWAY_BMC_VERIFY_TLS the file "
                "of its authority, or false on a network that is yours alone"
            )
        what = "did not answer in time" if isinstance(cause, requests.exceptions.Timeout) else "cannot be reached"
        return BmcUnreachable(f"the BMC at {self._address} {what}; check SLIPWAY_BMC_ADDRESS, or try again later")

    def _http(self, error: exceptions.HTTPError) -> Exception:
        if isinstance(error, exceptions.ResourceNotFoundError):
            return NoSuchSystem(f"the BMC at {self._address} has no {self._path or 'system'}; check SLIPWAY_BMC_SYSTEM")
        if error.status_code == _BUSY:
            return BmcBusy(f"the BMC at {self._address} has no time (503); try again later")
        said = f"the BMC at {self._address} answered {error.status_code}: {error.detail or 'no reason given'}"
        if isinstance(error, exceptions.ServerSideError) and error.status_code != _NOT_IMPLEMENTED:
            return BmcUnreachable(said)
        return NotOffered(said)


class _OneTry(SessionAuth):  # type: ignore[misc] # sushy ships no types
    """A session where the BMC has a session service, else basic authentication; the credentials are sent once.

    sushy's own tries one after the other, which spends two tries of a wrong password, and logs in again by itself.
    """

    def set_context(self, root_resource: Any, connector: Any) -> None:
        """Not told to the connector: that would log in again after a refusal."""
        self._root_resource, self._connector = root_resource, connector

    def _do_authenticate(self) -> None:
        document = self._root_resource.json
        if "SessionService" in document or "Sessions" in (document.get("Links") or {}):
            super()._do_authenticate()
        else:
            self._connector.set_http_basic_auth(self._username, self._password)
