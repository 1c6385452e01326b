"""Looks for what an interrupted create left, through the same APIs and with the same credentials as the providers.

Every call here blocks on the network.
"""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from cloudflare import Cloudflare, CloudflareError
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException
from proxmoxer.tools import Tasks
from requests.exceptions import RequestException

from automation.engine.cloud_lookups import cloud_lookup
from automation.engine.identity import Finding, Presence, judge_guest, judge_record

_TIMEOUT_SECONDS = 30
_TASK_SECONDS = 300
_MAKING_TASKS = frozenset({"qmclone", "qmcreate", "vzcreate", "vzclone"})


class TaskFailed(Exception):  # noqa: N818 - says what happened
    """A Proxmox VE task did not end well."""


LOOKUP_ERRORS = (ResourceException, CloudflareError, RequestException, TaskFailed)
"""What a look-up may raise when the other side does not answer as it should."""


class Lookup(Protocol):
    """Knows one kind of resource outside."""

    def find(self, inputs: Mapping[str, Any]) -> Finding:
        """Say what is in the place that a create with these inputs would have filled."""

    def discard(self, inputs: Mapping[str, Any]) -> None:
        """Remove what ``find`` called unfinished."""


class GuestLookup:
    """Virtual machines (``qemu``) or containers (``lxc``) of Proxmox VE, by node and VMID."""

    def __init__(self, api: Any, kind: str) -> None:
        """Look through ``api``, a ``proxmoxer.ProxmoxAPI``."""
        self._api = api
        self._kind = kind

    def find(self, inputs: Mapping[str, Any]) -> Finding:
        """Find the guest; one of the other kind at our VMID is not ours."""
        node, vmid = str(inputs["nodeName"]), int(inputs["vmId"])
        name = f"guest {vmid} on {node}"
        if self._being_made(node, vmid, inputs):
            return Finding(Presence.BUSY, name)
        other = "lxc" if self._kind == "qemu" else "qemu"
        config = self._config(node, self._kind, vmid)
        if config is None and self._config(node, other, vmid) is not None:
            return Finding(Presence.FOREIGN, name)
        return Finding(judge_guest(config, inputs), name, import_id=f"{node}/{vmid}")

    def discard(self, inputs: Mapping[str, Any]) -> None:
        """Delete a guest that was never finished, and wait until it is gone."""
        node, vmid = str(inputs["nodeName"]), int(inputs["vmId"])
        guest = getattr(self._api.nodes(node), self._kind)(vmid)
        task = guest.delete(purge=1)
        wait_for_task(self._api, node, task)

    def _config(self, node: str, kind: str, vmid: int) -> Mapping[str, Any] | None:
        try:
            config: Mapping[str, Any] = getattr(self._api.nodes(node), kind)(vmid).config.get()
        except ResourceException as error:
            # Proxmox VE answers 500 and a sentence for a guest that is not there.
            if error.status_code == 404 or "does not exist" in str(error):  # noqa: PLR2004 - HTTP
                return None
            raise
        return config

    def _being_made(self, node: str, vmid: int, inputs: Mapping[str, Any]) -> bool:
        """Tell whether a task is at work that makes this guest, or clones its template (tasks name only that)."""
        sources = {str(vmid), str((inputs.get("clone") or {}).get("vmId", ""))}
        tasks = self._api.nodes(node).tasks.get(source="active")
        return any(
            task.get("type") in _MAKING_TASKS and str(task.get("id")) in sources and not task.get("endtime")
            for task in tasks
        )


class FirewallLookup:
    """A guest's firewall rules or address set.

    They cannot be half right and worth keeping: what there is goes, and the next run writes all of them.
    """

    def __init__(self, api: Any, part: str) -> None:
        """Look at ``part`` of a guest's firewall: ``rules`` or ``ipset``."""
        self._api = api
        self._part = part

    def find(self, inputs: Mapping[str, Any]) -> Finding:
        """Find out whether anything is there."""
        firewall, name = self._firewall(inputs)
        present = self._entries(firewall, inputs)
        return Finding(Presence.UNFINISHED if present else Presence.ABSENT, name)

    def discard(self, inputs: Mapping[str, Any]) -> None:
        """Remove all rules, or the address set with its addresses."""
        firewall, _ = self._firewall(inputs)
        if self._part == "rules":
            for position in sorted((int(rule["pos"]) for rule in firewall.rules.get()), reverse=True):
                firewall.rules(position).delete()
            return
        address_set = firewall.ipset(inputs["name"])
        for entry in address_set.get():
            address_set(entry["cidr"]).delete()
        address_set.delete()

    def _entries(self, firewall: Any, inputs: Mapping[str, Any]) -> bool:
        if self._part == "rules":
            return bool(firewall.rules.get())
        return any(entry["name"] == inputs["name"] for entry in firewall.ipset.get())

    def _firewall(self, inputs: Mapping[str, Any]) -> tuple[Any, str]:
        node = str(inputs["nodeName"])
        kind, vmid = ("lxc", inputs["containerId"]) if inputs.get("containerId") else ("qemu", inputs["vmId"])
        return getattr(self._api.nodes(node), kind)(int(vmid)).firewall, f"firewall of guest {int(vmid)} on {node}"


class RecordLookup:
    """DNS records at Cloudflare, by zone, name and type; a comment with the order's id makes them ours."""

    def __init__(self, client: Cloudflare) -> None:
        self._client = client

    def find(self, inputs: Mapping[str, Any]) -> Finding:
        """Find the record."""
        zone, name, kind = str(inputs["zoneId"]), str(inputs["name"]), str(inputs["type"])
        found = self._client.dns.records.list(zone_id=zone, name={"exact": name}, type=kind)  # type: ignore[arg-type]  # the SDK lists the types
        presence, record = judge_record((entry.model_dump() for entry in found), inputs)
        return Finding(presence, f"{kind} record {name}", import_id=f"{zone}/{record}")

    def discard(self, inputs: Mapping[str, Any]) -> None:
        """Do nothing: a record is made by one request, so it is never half made."""


class NothingOutside:
    """For resources that exist in the state only, and writes that can be repeated."""

    def find(self, inputs: Mapping[str, Any]) -> Finding:
        """Find nothing."""
        return Finding(Presence.ABSENT, "setting" if inputs else "provider")

    def discard(self, inputs: Mapping[str, Any]) -> None:
        """Do nothing."""


def proxmox_api(environment: Mapping[str, str]) -> ProxmoxAPI:
    """Connect as the provider does, by ``PROXMOX_VE_ENDPOINT``, ``_API_TOKEN`` and ``_INSECURE``."""
    endpoint = urlsplit(environment["PROXMOX_VE_ENDPOINT"])
    identity, _, secret = environment["PROXMOX_VE_API_TOKEN"].partition("=")
    user, _, token = identity.partition("!")
    return ProxmoxAPI(
        endpoint.hostname,
        port=endpoint.port or 8006,
        user=user,
        token_name=token,
        token_value=secret,
        verify_ssl=environment.get("PROXMOX_VE_INSECURE", "").lower() not in {"1", "true", "yes"},
        timeout=_TIMEOUT_SECONDS,
    )


def cloudflare_client(environment: Mapping[str, str]) -> Cloudflare:
    """Connect as the provider does, by ``CLOUDFLARE_API_TOKEN`` and ``CLOUDFLARE_BASE_URL``."""
    return Cloudflare(
        api_token=environment["CLOUDFLARE_API_TOKEN"],
        base_url=environment.get("CLOUDFLARE_BASE_URL"),
        timeout=_TIMEOUT_SECONDS,
    )


def wait_for_task(api: Any, node: str, task: str) -> None:
    """Block until a Proxmox VE task has ended well.

    Raises:
        TaskFailed: if it failed or took more than five minutes.
    """
    status = Tasks.blocking_status(api, task, timeout=_TASK_SECONDS)
    if status is None or status.get("exitstatus") != "OK":
        reason = (status or {}).get("exitstatus", "it takes too long")
        raise TaskFailed(f"the task on {node} failed: {reason}")


class Lookups:
    """The look-ups by type token; connects only to what is asked for."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take endpoints and credentials from a child's environment."""
        self._environment = environment

    def of(self, kind: str) -> Lookup | None:
        """Return the look-up for a type token, None for a type whose identity nobody knows."""
        name = kind.rpartition(":")[2]
        if kind.startswith("pulumi:providers:") or name == "OptionsLegacy":
            return NothingOutside()  # firewall options are written whole, as often as one likes
        if name in {"VmLegacy", "ContainerLegacy"}:
            return GuestLookup(proxmox_api(self._environment), "qemu" if name == "VmLegacy" else "lxc")
        if name in {"RulesLegacy", "IpsetLegacy"}:
            return FirewallLookup(proxmox_api(self._environment), "rules" if name == "RulesLegacy" else "ipset")
        if name == "DnsRecord":
            return RecordLookup(cloudflare_client(self._environment))
        if kind.startswith("pulumi-python:dynamic"):
            return NothingOutside()  # our dynamic providers look for the thing first, and take it over
        return cloud_lookup(kind, self._environment)
