"""Looks for what an interrupted create left at Hetzner Cloud. Every call blocks on the network."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import requests

from automation.engine.identity import Finding, Presence

API = "https://api.hetzner.cloud/v1"
_TIMEOUT_SECONDS = 30
_NOT_FOUND = 404

_COLLECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "Certificate": "certificates",
        "Firewall": "firewalls",
        "FloatingIp": "floating_ips",
        "LoadBalancer": "load_balancers",
        "ManagedCertificate": "certificates",
        "Network": "networks",
        "PlacementGroup": "placement_groups",
        "PrimaryIp": "primary_ips",
        "Server": "servers",
        "SshKey": "ssh_keys",
        "UploadedCertificate": "certificates",
        "Volume": "volumes",
    }
)
"""By type: where it is listed. A name is unique within a project's collection."""


class CloudApi:
    """Hetzner Cloud's API, read, with a project's token."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take ``HCLOUD_TOKEN`` and ``HCLOUD_ENDPOINT``, as the provider does."""
        self._base = environment.get("HCLOUD_ENDPOINT", API).rstrip("/")
        self._headers = {"Authorization": f"Bearer {environment.get('HCLOUD_TOKEN', '')}"}

    def get(self, path: str, **query: str) -> Mapping[str, Any] | None:
        """Return a document, None where there is none.

        Raises:
            requests.RequestException: if there is no good answer.
        """
        answer = requests.get(f"{self._base}/{path}", params=query, headers=self._headers, timeout=_TIMEOUT_SECONDS)
        if answer.status_code == _NOT_FOUND:
            return None
        answer.raise_for_status()
        document: Mapping[str, Any] = answer.json()
        return document


class NamedLookup:
    """Things with a name, which is unique in the project; the labels that the create carried make them ours."""

    def __init__(self, api: CloudApi, collection: str) -> None:
        self._api = api
        self._collection = collection

    def find(self, inputs: Mapping[str, Any]) -> Finding:
        """Find the thing."""
        name = f"{self._collection} '{inputs['name']}'"
        found = (self._api.get(self._collection, name=str(inputs["name"])) or {}).get(self._collection) or []
        if not found:
            return Finding(Presence.ABSENT, name)
        return Finding(judge_labels(found[0], inputs), name, import_id=str(found[0]["id"]))

    def discard(self, inputs: Mapping[str, Any]) -> None:
        """Do nothing: it is made by one request, so it is never half made."""


class NetworkPartLookup:
    """Subnets and routes: parts of a network, by their addresses. Whoever owns the network owns them."""

    def __init__(self, api: CloudApi, part: str, key: str, wanted: str) -> None:
        """Look in a network's list ``part`` for an entry whose ``key`` is the create's input ``wanted``."""
        self._api = api
        self._part = part
        self._key = key
        self._wanted = wanted

    def find(self, inputs: Mapping[str, Any]) -> Finding:
        """Find the part."""
        network, wanted = f"{float(inputs['networkId']):.0f}", str(inputs[self._wanted])
        name = f"{wanted} of network {network}"
        document = self._api.get(f"networks/{network}")
        entries = [] if document is None else document["network"][self._part]
        is_there = any(entry[self._key] == wanted for entry in entries)
        return Finding(Presence.OURS if is_there else Presence.ABSENT, name, import_id=f"{network}-{wanted}")

    def discard(self, inputs: Mapping[str, Any]) -> None:
        """Do nothing: it is made by one request, so it is never half made."""


def cloud_lookup(kind: str, environment: Mapping[str, str]) -> NamedLookup | NetworkPartLookup | None:
    """Return the look-up for a type of the hcloud provider, None for one whose identity nobody knows."""
    if not kind.startswith("hcloud:"):
        return None
    name, api = kind.rpartition(":")[2], CloudApi(environment)
    if name == "NetworkSubnet":
        return NetworkPartLookup(api, "subnets", "ip_range", "ipRange")
    if name == "NetworkRoute":
        return NetworkPartLookup(api, "routes", "destination", "destination")
    return NamedLookup(api, _COLLECTIONS[name]) if name in _COLLECTIONS else None


def judge_labels(found: Mapping[str, Any], inputs: Mapping[str, Any]) -> Presence:
    """Say whose a thing of our name is: ours if it bears every label that the create gave it, and there are some."""
    wanted: Mapping[str, Any] = inputs.get("labels") or {}
    labels: Mapping[str, Any] = found.get("labels") or {}
    return Presence.OURS if wanted and wanted.items() <= labels.items() else Presence.FOREIGN
