"""The kinds of object served, and of them DNS records and zones, as ``pulumi_cloudflare`` 6.23.1 has them."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from automation.toolchain.plugins.cloudflare.balancing import (
    LOAD_BALANCER,
    LOAD_BALANCER_MONITOR,
    LOAD_BALANCER_POOL,
)
from automation.toolchain.plugins.cloudflare.model import Failure, Field, Properties, ResourceModel, ZoneName
from automation.toolchain.plugins.cloudflare.rulesets import RULESET, ZONE_SETTING
from automation.toolchain.plugins.cloudflare.tunnels import TUNNEL, TUNNEL_CONFIGURATION

_RECORD_TYPES = frozenset(
    {"A", "AAAA", "CAA", "CERT", "CNAME", "DNSKEY", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS", "OPENPGPKEY"}
    | {"PTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI"}
)
_AUTOMATIC_TTL = 1
# Seconds; Enterprise zones may go down to 30, others to 60, which only Cloudflare knows.
_TTL_RANGE = (30, 86400)


def _address(text: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None


def _validate_record(inputs: Properties) -> list[Failure]:
    failures = []
    kind, ttl, content = inputs.get("type"), inputs.get("ttl"), inputs.get("content")
    if kind is not None and kind not in _RECORD_TYPES:
        failures.append(Failure("type", f"{kind!r} is no record type; one of {', '.join(sorted(_RECORD_TYPES))}"))
    if content is not None and kind in {"A", "AAAA"}:
        version = 4 if kind == "A" else 6
        address = _address(content)
        if address is None or address.version != version:
            failures.append(Failure("content", f"{content!r} is no IPv{version} address, which {kind} records need"))
    if ttl is not None and ttl != _AUTOMATIC_TTL:
        if not isinstance(ttl, int | float) or not _TTL_RANGE[0] <= ttl <= _TTL_RANGE[1]:
            failures.append(Failure("ttl", f"{ttl!r}: give 1 (automatic) or 30 to 86400 seconds"))
        elif inputs.get("proxied") is True:
            failures.append(Failure("ttl", "proxied records have an automatic time to live: give 1"))
    if kind == "MX" and "priority" not in inputs:
        failures.append(Failure("priority", "MX records need one: give 0 to 65535"))
    return failures


def _same_in_record(name: str, declared: Properties, live: Any, zone_name: ZoneName) -> bool:
    """Whether Cloudflare's spelling means what was declared."""
    value = declared[name]
    if value == live:
        return True
    if name == "name" and isinstance(value, str) and isinstance(live, str):
        return _same_name(value, live, zone_name(str(declared.get("zoneId"))))
    if name == "content" and isinstance(value, str) and isinstance(live, str):
        return _same_content(declared.get("type"), value, live)
    if name == "settings" and isinstance(value, dict):
        # A setting that is off may be left out.
        return all(bool((live or {}).get(key)) == bool(item) for key, item in value.items())
    return name == "tags" and sorted(value or []) == sorted(live or [])


def _same_name(declared: str, live: str, zone: str | None) -> bool:
    """Cloudflare answers with full names; a name may be declared without the zone's, ``@`` being the zone itself."""
    declared, live = declared.rstrip(".").lower(), live.rstrip(".").lower()
    if zone is None:
        # Not to be known for certain: rather miss a rename by hand than see one where there is none.
        return live == declared or live.startswith(f"{declared}.") or declared == "@"
    return live in {declared, zone if declared == "@" else f"{declared}.{zone}"}


def _same_content(kind: Any, declared: str, live: str) -> bool:
    if kind in {"A", "AAAA"}:
        return _address(declared) is not None and _address(declared) == _address(live)
    if kind == "TXT":
        return declared.strip('"') == live.strip('"')
    if kind in {"CNAME", "MX", "NS", "PTR"}:
        return declared.rstrip(".").lower() == live.rstrip(".").lower()
    return False


def _same_in_zone(name: str, declared: Properties, live: Any, zone_name: ZoneName) -> bool:
    """Whether Cloudflare's answer means what was declared; of an account only the id is declared."""
    del zone_name
    value = declared[name]
    if name == "account" and isinstance(value, dict) and isinstance(live, dict):
        return bool(value.get("id") == live.get("id"))
    return bool(value == live)


def _records_like(inputs: Properties) -> Mapping[str, str]:
    """Asks for records of the same name, whatever their type: a CNAME excludes all others."""
    return {"name.startswith": str(inputs["name"]), "per_page": "5"} if inputs.get("name") != "@" else {}


DNS_RECORD = ResourceModel(
    token="cloudflare:index/dnsRecord:DnsRecord",  # noqa: S106 -- a type token, no secret
    collection="/zones/{zoneId}/dns_records",
    parent="zoneId",
    update_method="PUT",
    fields=(
        Field("zoneId", "string", "required", replaces=True, local=True),
        Field("name", "string", "required"),
        Field("type", "string", "required"),
        Field("ttl", "number", "required"),
        Field("content", "string", "optional"),
        Field("data", "object", "optional"),
        Field("comment", "string", "optional"),
        Field("priority", "number", "optional"),
        Field("proxied", "boolean", "optional"),
        Field("privateRouting", "boolean", "optional"),
        Field("settings", "object", "optional"),
        Field("tags", "array", "optional"),
        Field("includeShadowMetadata", "boolean", "optional", local=True),
        Field("meta", "json"),
        Field("proxiable", "boolean"),
        Field("createdOn", "string"),
        Field("modifiedOn", "string"),
        Field("commentModifiedOn", "string"),
        Field("tagsModifiedOn", "string"),
    ),
    validate=_validate_record,
    same=_same_in_record,
    conflict_query=_records_like,
)

ZONE = ResourceModel(
    token="cloudflare:index/zone:Zone",  # noqa: S106 -- a type token, no secret
    collection="/zones",
    update_method="PATCH",
    fields=(
        Field("account", "object", "required", replaces=True),
        Field("name", "string", "required", replaces=True),
        Field("paused", "boolean", "optional", later=True),
        Field("type", "string", "optional"),
        Field("vanityNameServers", "array", "optional", later=True),
        Field("activatedOn", "string"),
        Field("cnameSuffix", "string"),
        Field("createdOn", "string"),
        Field("developmentMode", "number"),
        Field("meta", "object"),
        Field("modifiedOn", "string"),
        Field("nameServers", "array"),
        Field("originalDnshost", "string"),
        Field("originalNameServers", "array"),
        Field("originalRegistrar", "string"),
        Field("owner", "object"),
        Field("permissions", "array"),
        Field("plan", "object"),
        Field("status", "string"),
        Field("tenant", "object"),
        Field("tenantUnit", "object"),
        Field("verificationKey", "string"),
    ),
    same=_same_in_zone,
    conflict_query=lambda inputs: {"name": str(inputs.get("name"))},
)

MODELS = {
    model.token: model
    for model in (
        DNS_RECORD,
        ZONE,
        ZONE_SETTING,
        RULESET,
        LOAD_BALANCER,
        LOAD_BALANCER_POOL,
        LOAD_BALANCER_MONITOR,
        TUNNEL,
        TUNNEL_CONFIGURATION,
    )
}
