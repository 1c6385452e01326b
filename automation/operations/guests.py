"""The node's own word about a guest, through the Proxmox VE API (PyPI: proxmoxer)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException
from proxmoxer.tools import Tasks
from urllib3.exceptions import InsecureRequestWarning

from api.drift.facts import ListedGuest
from components.specs import WorkloadKind

_TIMEOUT_SECONDS = 15
_REBOOT_SECONDS = 120
_SHUTDOWN_SECONDS = 60
_REMOVAL_SECONDS = 300


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """How to reach one node; ``api_token`` is ``user@realm!name=secret``."""

    name: str
    endpoint: str
    verify_tls: bool
    api_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GuestFacts:
    """A guest as its node describes it."""

    vmid: int
    name: str
    is_running: bool
    tags: frozenset[str]


class GuestError(Exception):
    """The node did not answer, or refused; time may heal it."""


class GuestDirectory(Protocol):
    """Looks guests up on their node, and asks them for what is no change of their stack. All methods block."""

    def find(self, node: NodeAccess, vmid: int) -> GuestFacts | None:
        """Return the guest with this VMID, or None if the node has none.

        Raises:
            GuestError: if the node does not answer.
        """

    def reboot(self, node: NodeAccess, vmid: int, kind: WorkloadKind) -> None:
        """Restart the guest and block until it runs again.

        Raises:
            GuestError: if it could not be restarted.
        """

    def shut_down(self, node: NodeAccess, vmid: int, kind: WorkloadKind) -> bool:
        """Ask the guest to shut itself down; True once it is off, False if it does not obey within a minute.

        Raises:
            GuestError: if the node does not answer.
        """

    def listing(self, node: NodeAccess) -> Sequence[ListedGuest]:
        """Return every guest on the node, templates and strangers included; two requests, however many there are.

        Raises:
            GuestError: if the node does not answer: a list that is not whole is never returned.
        """

    def remove(self, node: NodeAccess, vmid: int, tag: str) -> bool:
        """Stop and delete the guest with its disks if it bears ``tag``; True once it is gone.

        False if it bears the tag no more, and nothing was done. A guest that is not there is gone.

        Raises:
            GuestError: if it could not be deleted, or the node does not answer.
        """


class ProxmoxGuests:
    """Implements ``GuestDirectory`` over HTTPS."""

    def find(self, node: NodeAccess, vmid: int) -> GuestFacts | None:
        """See ``GuestDirectory``.

        The guest itself is asked: the list of all guests is fed by a daemon that looks every ten seconds.
        """
        with _connected(node, f"node {node.name} did not answer") as api:
            for guests in ("qemu", "lxc"):
                facts = _find(api.nodes(node.name)(f"{guests}/{vmid}"), vmid)
                if facts is not None:
                    return facts
        return None

    def reboot(self, node: NodeAccess, vmid: int, kind: WorkloadKind) -> None:
        """See ``GuestDirectory``. Blocks until the node's task has ended, for two minutes at most."""
        with _connected(node, f"node {node.name} refused to reboot the guest") as api:
            task = _guest(api, node, vmid, kind)("status/reboot").post()
            status = Tasks.blocking_status(api, task, timeout=_REBOOT_SECONDS)
        if status is None or status.get("exitstatus") != "OK":
            reason = (status or {}).get("exitstatus", "it takes too long")
            raise GuestError(f"node {node.name} could not reboot the guest: {reason}")

    def shut_down(self, node: NodeAccess, vmid: int, kind: WorkloadKind) -> bool:
        """See ``GuestDirectory``. A guest that is off already is off."""
        with _connected(node, f"node {node.name} did not answer") as api:
            guest = _guest(api, node, vmid, kind)
            if guest.status.current.get().get("status") == "stopped":
                return True
            task = guest("status/shutdown").post(timeout=_SHUTDOWN_SECONDS, forceStop=0)
            status = Tasks.blocking_status(api, task, timeout=_SHUTDOWN_SECONDS + _TIMEOUT_SECONDS)
        return status is not None and status.get("exitstatus") == "OK"

    def listing(self, node: NodeAccess) -> Sequence[ListedGuest]:
        """See ``GuestDirectory``. The node's own lists are asked, which read each guest's state afresh."""
        with _connected(node, f"node {node.name} did not answer") as api:
            return [_listed(kind, item) for kind in ("qemu", "lxc") for item in api.nodes(node.name)(kind).get()]

    def remove(self, node: NodeAccess, vmid: int, tag: str) -> bool:
        """See ``GuestDirectory``. The tag is read again from the configuration, just before."""
        with _connected(node, f"node {node.name} did not delete guest {vmid}") as api:
            for guests in ("qemu", "lxc"):
                guest = api.nodes(node.name)(f"{guests}/{vmid}")
                facts = _find(guest, vmid)
                if facts is None:
                    continue
                if tag not in facts.tags:
                    return False
                if facts.is_running:
                    _finish(api, node, guest("status/stop").post())
                _finish(api, node, guest.delete(purge=1))
        return True


def _finish(api: Any, node: NodeAccess, task: str) -> None:
    """Wait until a task has ended well; ``GuestError`` if it did not."""
    status = Tasks.blocking_status(api, task, timeout=_REMOVAL_SECONDS)
    if status is None or status.get("exitstatus") != "OK":
        raise GuestError(f"node {node.name}: {(status or {}).get('exitstatus', 'the task takes too long')}")


def _listed(kind: str, item: Mapping[str, Any]) -> ListedGuest:
    disk = int(item.get("maxdisk") or 0)
    return ListedGuest(
        vmid=int(item["vmid"]),
        kind=kind,
        name=str(item.get("name", "")),
        is_running=item.get("status") == "running",
        tags=_tags(item),
        cores=int(item.get("cpus") or 1),
        memory_mib=int(item.get("maxmem") or 0) // 1024**2,
        disk_gib=disk // 1024**3 if disk else None,
        is_template=bool(item.get("template")),
        lock=str(item.get("lock") or ""),
    )


def _tags(item: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(filter(None, re.split(r"[;,\s]+", str(item.get("tags", "")))))


def _guest(api: Any, node: NodeAccess, vmid: int, kind: WorkloadKind) -> Any:
    guests = "qemu" if kind is WorkloadKind.CLOUD_VM else "lxc"
    return api.nodes(node.name)(f"{guests}/{vmid}")


@contextmanager
def _connected(node: NodeAccess, failure: str) -> Iterator[Any]:
    """Connect for the length of a block, in which every error of the API means ``failure``."""
    address = urlsplit(node.endpoint)
    user, _, rest = node.api_token.partition("!")
    name, _, secret = rest.partition("=")
    api = ProxmoxAPI(
        address.hostname,
        port=address.port or 8006,
        user=user,
        token_name=name,
        token_value=secret,
        verify_ssl=node.verify_tls,
        timeout=_TIMEOUT_SECONDS,
    )
    if not node.verify_tls:
        urllib3.disable_warnings(InsecureRequestWarning)  # the operator has said so, once and for this node
    try:
        yield api
    except (ResourceException, AuthenticationError, requests.RequestException) as error:
        raise GuestError(f"{failure}: {_words(error)}") from error
    finally:
        api._store["session"].close()  # noqa: SLF001 - proxmoxer has no public way to close its connections


def _words(error: Exception) -> str:
    return f"HTTP {error.status_code}" if isinstance(error, ResourceException) else type(error).__name__


def _find(guest: Any, vmid: int) -> GuestFacts | None:
    try:
        status = guest.status.current.get()
    except ResourceException as error:
        # Proxmox VE answers 500 and a sentence for a guest that is not there.
        if error.status_code == HTTPStatus.NOT_FOUND or "does not exist" in str(error):
            return None
        raise
    return GuestFacts(
        vmid=vmid,
        name=str(status.get("name", "")),
        is_running=status.get("status") == "running",
        tags=_tags(status),
    )
