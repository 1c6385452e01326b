"""Load balancing at Cloudflare's edge, with the properties of ``pulumi_cloudflare`` 6.23.1."""

from collections.abc import Mapping
from typing import Any

from automation.toolchain.plugins.cloudflare.meaning import means
from automation.toolchain.plugins.cloudflare.model import Failure, Field, Properties, ResourceModel, ZoneName

# What Cloudflare fills in where a program does not say it.
_DEFAULTS: Mapping[str, Any] = {
    "enabled": True,
    "weight": 1,
    "flattenCname": True,
    "defaultPolicy": "random",
    "sessionPolicy": "hash",
    "policy": "random",
    "samesite": "Auto",
    "secure": "Auto",
    "zeroDowntimeFailover": "none",
    "mode": "pop",
    "preferEcs": "proximity",
    "defaultWeight": 1,
}


def _same(name: str, declared: Properties, live: Any, _: ZoneName) -> bool:
    return means(declared[name], live, _DEFAULTS)


def _same_in_pool(name: str, declared: Properties, live: Any, _: ZoneName) -> bool:
    """Whether the pool means the same: its origins are told apart by name, and regions have no order."""
    value = declared[name]
    if name == "origins" and isinstance(value, list) and isinstance(live, list):
        return means(sorted(value, key=_name), sorted(live, key=_name), _DEFAULTS)
    if name == "checkRegions" and isinstance(value, list) and isinstance(live, list):
        return sorted(value) == sorted(live)
    return means(value, live, _DEFAULTS)


def _name(origin: Mapping[str, Any]) -> str:
    return str(origin.get("name", ""))


def _validate_pool(inputs: Properties) -> list[Failure]:
    origins = inputs.get("origins")
    if not isinstance(origins, list):
        return []
    names = [item.get("name") for item in origins if isinstance(item, dict)]
    if not origins:
        return [Failure("origins", "a pool needs one at least")]
    if len(set(names)) != len(names):
        return [Failure("origins", "two have one name, by which they are told apart: give each its own")]
    return []


def _same_name(inputs: Properties, item: Mapping[str, Any]) -> bool:
    return item.get("name") == inputs.get("name")


LOAD_BALANCER = ResourceModel(
    token="cloudflare:index/loadBalancer:LoadBalancer",  # noqa: S106 -- a type token, no secret
    collection="/zones/{zoneId}/load_balancers",
    parent="zoneId",
    update_method="PUT",
    fields=(
        Field("zoneId", "string", "required", replaces=True, local=True),
        Field("name", "string", "required"),
        Field("defaultPools", "array", "required"),
        Field("fallbackPool", "string", "required"),
        Field("adaptiveRouting", "object", "optional"),
        Field("countryPools", "map", "optional"),
        Field("description", "string", "optional"),
        Field("enabled", "boolean", "optional"),
        Field("locationStrategy", "object", "optional"),
        Field("networks", "array", "optional"),
        Field("popPools", "map", "optional"),
        Field("proxied", "boolean", "optional"),
        Field("randomSteering", "object", "optional"),
        Field("regionPools", "map", "optional"),
        Field("rules", "array", "optional"),
        Field("sessionAffinity", "string", "optional"),
        Field("sessionAffinityAttributes", "object", "optional"),
        Field("sessionAffinityTtl", "number", "optional"),
        Field("steeringPolicy", "string", "optional"),
        Field("ttl", "number", "optional"),
        Field("createdOn", "string"),
        Field("modifiedOn", "string"),
        Field("zoneName", "string"),
    ),
    same=_same,
    in_the_way=_same_name,
)

LOAD_BALANCER_POOL = ResourceModel(
    token="cloudflare:index/loadBalancerPool:LoadBalancerPool",  # noqa: S106 -- a type token, no secret
    collection="/accounts/{accountId}/load_balancers/pools",
    parent="accountId",
    update_method="PUT",
    fields=(
        Field("accountId", "string", "required", replaces=True, local=True),
        Field("name", "string", "required"),
        Field("origins", "array", "required"),
        Field("checkRegions", "array", "optional", later=True),
        Field("description", "string", "optional"),
        Field("enabled", "boolean", "optional"),
        Field("healthSources", "array", "optional", later=True),
        Field("latitude", "number", "optional"),
        Field("loadShedding", "object", "optional"),
        Field("longitude", "number", "optional"),
        Field("minimumOrigins", "integer", "optional"),
        Field("monitor", "string", "optional"),
        Field("monitorGroup", "string", "optional"),
        Field("notificationEmail", "string", "optional"),
        Field("notificationFilter", "object", "optional"),
        Field("originSteering", "object", "optional"),
        Field("createdOn", "string"),
        Field("disabledAt", "string"),
        Field("modifiedOn", "string"),
        Field("networks", "array"),
    ),
    validate=_validate_pool,
    same=_same_in_pool,
    in_the_way=_same_name,
    names={"hosts": "Host"},
)

LOAD_BALANCER_MONITOR = ResourceModel(
    token="cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor",  # noqa: S106 -- a type token, no secret
    collection="/accounts/{accountId}/load_balancers/monitors",
    parent="accountId",
    update_method="PUT",
    fields=(
        Field("accountId", "string", "required", replaces=True, local=True),
        Field("allowInsecure", "boolean", "optional"),
        Field("consecutiveDown", "integer", "optional"),
        Field("consecutiveUp", "integer", "optional"),
        Field("description", "string", "optional"),
        Field("expectedBody", "string", "optional"),
        Field("expectedCodes", "string", "optional"),
        Field("followRedirects", "boolean", "optional"),
        Field("header", "map", "optional"),
        Field("interval", "integer", "optional"),
        Field("method", "string", "optional"),
        Field("path", "string", "optional"),
        Field("port", "integer", "optional"),
        Field("probeZone", "string", "optional"),
        Field("retries", "integer", "optional"),
        Field("timeout", "integer", "optional"),
        Field("type", "string", "optional"),
        Field("createdOn", "string"),
        Field("modifiedOn", "string"),
    ),
    same=_same,
    # It has no name: another one may be just the same, and nobody could tell which of them was made just now.
    in_the_way=lambda _, __: False,
)
