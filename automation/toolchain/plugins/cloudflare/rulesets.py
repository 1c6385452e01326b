"""Rules of a zone, and the zone's settings, with the properties of ``pulumi_cloudflare`` 6.23.1."""

from collections.abc import Mapping
from typing import Any

from automation.toolchain.plugins.cloudflare.meaning import means
from automation.toolchain.plugins.cloudflare.model import Failure, Field, Properties, ResourceModel, ZoneName

# What Cloudflare fills in where a rule does not say it.
_RULE_DEFAULTS: Mapping[str, Any] = {"enabled": True, "requestsToOrigin": False, "logging": {"enabled": True}}


def _same_in_ruleset(name: str, declared: Properties, live: Any, _: ZoneName) -> bool:
    """Whether Cloudflare's rules mean what was declared; their order counts, the first that matches decides."""
    return means(declared[name], live, _RULE_DEFAULTS)


def _validate_ruleset(inputs: Properties) -> list[Failure]:
    failures = []
    if "accountId" in inputs:
        failures.append(Failure("accountId", "rulesets of a whole account are not served: give 'zoneId'"))
    elif "zoneId" not in inputs and not failures:
        failures.append(Failure("zoneId", "is required: give the zone's id"))
    rules = inputs.get("rules")
    for rule in rules if isinstance(rules, list) else ():
        if inputs.get("phase") == "http_ratelimit" and isinstance(rule, dict) and "ratelimit" not in rule:
            name = rule.get("ref") or rule.get("description") or rule.get("expression")
            failures.append(Failure("rules", f"{name!r} says no rate: give it 'ratelimit'"))
    return failures


def _is_same_phase(inputs: Properties, item: Mapping[str, Any]) -> bool:
    return all(item.get(name) == inputs.get(name) for name in ("kind", "phase"))


RULESET = ResourceModel(
    token="cloudflare:index/ruleset:Ruleset",  # noqa: S106 -- a type token, no secret
    collection="/zones/{zoneId}/rulesets",
    parent="zoneId",
    import_prefix="zones/",
    update_method="PUT",
    fields=(
        Field("zoneId", "string", "optional", replaces=True, local=True),
        Field("accountId", "string", "optional", replaces=True, local=True),
        Field("kind", "string", "required", replaces=True),
        Field("name", "string", "required"),
        Field("phase", "string", "required", replaces=True),
        Field("description", "string", "optional"),
        Field("rules", "array", "optional"),
        Field("lastUpdated", "string"),
        Field("version", "string"),
    ),
    validate=_validate_ruleset,
    same=_same_in_ruleset,
    in_the_way=_is_same_phase,
)

ZONE_SETTING = ResourceModel(
    token="cloudflare:index/zoneSetting:ZoneSetting",  # noqa: S106 -- a type token, no secret
    collection="/zones/{zoneId}/settings",
    parent="zoneId",
    singleton="settingId",
    update_method="PATCH",
    fields=(
        Field("zoneId", "string", "required", replaces=True, local=True),
        Field("settingId", "string", "required", replaces=True, local=True),
        Field("value", "any", "required"),
        Field("enabled", "boolean", "optional"),
        Field("editable", "boolean"),
        Field("modifiedOn", "string"),
        Field("timeRemaining", "number"),
    ),
)
