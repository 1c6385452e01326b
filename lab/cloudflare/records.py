"""DNS records and the rules that Cloudflare holds them to. No I/O, no framework."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from lab.cloudflare.errors import ApiError, new_id, stamp

ADDRESS_TYPES = frozenset({"A", "AAAA", "CNAME"})
TYPES = ADDRESS_TYPES | {"CAA", "MX", "NS", "PTR", "SRV", "TXT"}
LONGEST_NAME = 253
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?|\*", re.IGNORECASE)
WRITABLE = ("type", "name", "content", "ttl", "proxied", "priority", "data", "comment", "tags", "settings")
DEFAULTS: dict[str, Any] = {"ttl": 1, "proxied": False, "comment": None, "tags": [], "settings": {}}

Record = dict[str, Any]


class Zone:
    """One zone and its records."""

    def __init__(self, zone_id: str, name: str, account_id: str) -> None:
        self.id, self.name, self.account_id = zone_id, name, account_id
        self.created_on = stamp()
        self._records: dict[str, Record] = {}
        self.facts: dict[str, Any] = {
            "status": "active",
            "paused": False,
            "type": "full",
            "created_on": self.created_on,
            "modified_on": self.created_on,
            "activated_on": self.created_on,
        }

    def activate(self) -> None:
        """Find the zone delegated to the name servers that it was given."""
        if self.facts["status"] == "pending":
            self.facts.update(status="active", activated_on=stamp())

    def describe(self) -> dict[str, Any]:
        """The zone as the API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            **self.facts,
            "development_mode": 0,
            "name_servers": ["ada.ns.cloudflare.example", "bob.ns.cloudflare.example"],
            "original_name_servers": [],
            "original_registrar": None,
            "original_dnshost": None,
            "account": {"id": self.account_id, "name": "lab"},
            "owner": {"id": None, "type": "user", "name": None},
            "meta": {"page_rule_quota": 3, "phishing_detected": False},
            "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
        }

    def records(self) -> Iterable[Record]:
        """All records, oldest first."""
        return self._records.values()

    def get(self, record_id: str) -> Record:
        """One record.

        Raises:
            ApiError: 404, code 81044, if there is none.
        """
        if record_id not in self._records:
            raise ApiError(404, 81044, "Record does not exist.")
        return self._records[record_id]

    def create(self, given: dict[str, Any]) -> Record:
        """Add a record and return it with its id and times."""
        checked = self._check({**DEFAULTS, **given})
        record = {"id": new_id(), **checked, "created_on": stamp()}
        return self._keep(record)

    def replace(self, record_id: str, given: dict[str, Any]) -> Record:
        """Overwrite a record (PUT): what is not given falls back to its default."""
        old = self.get(record_id)
        checked = self._check({**DEFAULTS, **given}, besides=record_id)
        return self._keep({"id": record_id, **checked, "created_on": old["created_on"]})

    def change(self, record_id: str, given: dict[str, Any]) -> Record:
        """Change a record (PATCH): what is not given stays."""
        old = self.get(record_id)
        kept = {key: old[key] for key in WRITABLE if key in old}
        checked = self._check({**kept, **given}, besides=record_id)
        return self._keep({"id": record_id, **checked, "created_on": old["created_on"]})

    def delete(self, record_id: str) -> None:
        """Remove a record; :class:`ApiError` if there is none."""
        self.get(record_id)
        del self._records[record_id]

    def _keep(self, record: Record) -> Record:
        record.update(modified_on=stamp(), proxiable=record["type"] in ADDRESS_TYPES, meta={})
        self._records[record["id"]] = record
        return record

    def _check(self, given: dict[str, Any], besides: str = "") -> Record:
        """The record as it is kept, or the error that the API answers."""
        record = {key: given[key] for key in WRITABLE if given.get(key) is not None or key in DEFAULTS}
        record["type"] = str(record.get("type", "")).upper()
        if record["type"] not in TYPES:
            raise ApiError(400, 9000, f"DNS record type {record['type']!r} is invalid.")
        record["name"] = self._full_name(str(record.get("name", "")))
        record["content"] = _content(record)
        _check_ttl(record["ttl"])
        if record["type"] == "MX" and "priority" not in record:
            raise ApiError(400, 9105, "priority is a required field for MX records.")
        if record["proxied"] and record["type"] not in ADDRESS_TYPES:
            raise ApiError(400, 9004, "This record type cannot be proxied.")
        self._check_conflicts(record, besides)
        return record

    def _full_name(self, name: str) -> str:
        """The name within the zone, in lower case; ``@`` and names without the zone get it appended."""
        lowered = name.strip().rstrip(".").lower()
        if lowered in {"@", ""}:
            full = self.name if lowered else ""
        else:
            inside = lowered == self.name or lowered.endswith(f".{self.name}")
            full = lowered if inside else f"{lowered}.{self.name}"
        labels = full.split(".")
        if len(full) > LONGEST_NAME or not all(LABEL.fullmatch(label) for label in labels):
            raise ApiError(400, 9000, "DNS name is invalid.")
        return full

    def _check_conflicts(self, record: Record, besides: str) -> None:
        """A name holds one CNAME or any number of address records, each once."""
        for other in self._records.values():
            if other["id"] == besides or other["name"] != record["name"]:
                continue
            if (other["type"], other["content"]) == (record["type"], record["content"]):
                raise ApiError(400, 81058, "An identical record already exists.")
            if record["type"] == "CNAME" and other["type"] in ADDRESS_TYPES:
                raise ApiError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
            if other["type"] == "CNAME" and record["type"] in ADDRESS_TYPES:
                raise ApiError(400, 81054, "A CNAME record with that host already exists.")


def _check_ttl(ttl: Any) -> None:
    automatic, shortest, longest = 1, 60, 86_400
    valid = isinstance(ttl, int | float) and (ttl == automatic or shortest <= ttl <= longest)
    if not valid:
        raise ApiError(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")


def _content(record: Record) -> str:
    """The content in the form in which it is kept; addresses in their shortest form."""
    kind, text = record["type"], str(record.get("content", "")).strip()
    if kind in {"SRV", "CAA"} and isinstance(record.get("data"), dict):
        order = ("priority", "weight", "port", "target") if kind == "SRV" else ("flags", "tag", "value")
        return " ".join(str(record["data"].get(key, "")) for key in order)
    if not text:
        raise ApiError(400, 9020, "Invalid DNS record content: content must not be empty.")
    if kind in {"A", "AAAA"}:
        version, code = (4, 9005) if kind == "A" else (6, 9006)
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            address = None
        if address is None or address.version != version:
            message = f"Content for {kind} record must be a valid IPv{version} address."
            raise ApiError(400, code, message)
        return str(address)
    return text.rstrip(".").lower() if kind in {"CNAME", "MX", "NS", "PTR"} else text
