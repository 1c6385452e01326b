"""Slipway's own Cloudflare plugin has the official plugin's names for programs, the official client's for the API."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

import pulumi_cloudflare
import pytest
from cloudflare.types import load_balancers, zones
from cloudflare.types.dns import record_create_params, record_update_params
from cloudflare.types.load_balancers import header_param, origin_param
from cloudflare.types.rulesets import (
    block_rule_param,
    execute_rule_param,
    logging_param,
    ruleset_create_params,
    ruleset_update_params,
    skip_rule_param,
)
from cloudflare.types.zero_trust import tunnels
from cloudflare.types.zero_trust.tunnels.cloudflared import configuration_update_params
from cloudflare.types.zones import zone_create_params, zone_edit_params
from pulumi._types import input_type_py_to_pulumi_names
from pulumi_cloudflare import _inputs as arguments_of

from automation.toolchain.plugins.cloudflare.balancing import (
    LOAD_BALANCER,
    LOAD_BALANCER_MONITOR,
    LOAD_BALANCER_POOL,
)
from automation.toolchain.plugins.cloudflare.model import ResourceModel
from automation.toolchain.plugins.cloudflare.naming import to_properties, to_property_name, to_wire, to_wire_name
from automation.toolchain.plugins.cloudflare.resources import DNS_RECORD, MODELS, ZONE
from automation.toolchain.plugins.cloudflare.rulesets import RULESET, ZONE_SETTING
from automation.toolchain.plugins.cloudflare.tunnels import TUNNEL, TUNNEL_CONFIGURATION

NAMES_SERVED = [token.rpartition(":")[2] for token in MODELS]
SERVED = [
    (model, getattr(pulumi_cloudflare, name), getattr(pulumi_cloudflare, f"{name}Args"))
    for name, model in zip(NAMES_SERVED, MODELS.values(), strict=True)
]


@pytest.mark.parametrize(("model", "resource", "arguments"), SERVED, ids=NAMES_SERVED)
def test_names_and_types_are_those_of_the_official_sdk(model: ResourceModel, resource: Any, arguments: Any) -> None:
    """Token, inputs, which of them are required, and outputs with their kinds."""
    assert model.token == resource.pulumi_type
    names = input_type_py_to_pulumi_names(arguments)
    required = {
        names[name]
        for name, parameter in inspect.signature(arguments.__init__).parameters.items()
        if name in names and parameter.default is inspect.Parameter.empty
    }
    assert {field.name: field.use == "required" for field in model.inputs} == {
        name: name in required for name in names.values()
    }
    kinds = {field.name: field.kind.replace("json", "string") for field in model.fields}
    assert kinds == {to_property_name(name): kind_of(hint) for name, hint in output_hints(resource).items()}


def output_hints(resource: Any) -> Mapping[str, str]:
    """Each property's annotation, as it is written."""
    return {
        name: str(member.fget.__annotations__["return"])
        for name, member in vars(resource).items()
        if isinstance(member, property) and member.fget is not None
    }


def kind_of(hint: str) -> str:
    """What a value of such a property is."""
    if "Mapping[" in hint:
        return "map"
    if "Sequence" in hint:
        return "array"
    if "outputs." in hint:
        return "object"
    kinds = {"str": "string", "float": "number", "int": "integer", "bool": "boolean", "Any": "any"}
    return next(kind for name, kind in kinds.items() if f"{name}]" in hint)


def members(*modules: Any) -> set[str]:
    """Every parameter of a request of the official client as it is sent, whatever the kind of object."""
    return {
        next((note.alias for note in notes(hint) if note.alias is not None), name)
        for module in modules
        for item in vars(module).values()
        if inspect.isclass(item) and hasattr(item, "__annotations__") and item.__module__ == module.__name__
        for name, hint in get_type_hints(item, include_extras=True).items()
    }


def notes(hint: Any) -> list[Any]:
    """What the official client notes about a parameter, which may be required and a date besides."""
    inside = get_args(hint)[0] if str(get_origin(hint)).endswith("Required") else hint
    return [note for note in getattr(inside, "__metadata__", ()) if hasattr(note, "alias")]


@pytest.mark.parametrize(
    ("model", "module"),
    [
        (DNS_RECORD, record_create_params),
        (DNS_RECORD, record_update_params),
        (ZONE, zone_create_params),
        (ZONE_SETTING, zones.setting_edit_params),
        (RULESET, ruleset_create_params),
        (RULESET, ruleset_update_params),
        (LOAD_BALANCER, load_balancers.load_balancer_create_params),
        (LOAD_BALANCER, load_balancers.load_balancer_update_params),
        (LOAD_BALANCER_POOL, load_balancers.pool_create_params),
        (LOAD_BALANCER_POOL, load_balancers.pool_update_params),
        (LOAD_BALANCER_MONITOR, load_balancers.monitor_create_params),
        (LOAD_BALANCER_MONITOR, load_balancers.monitor_update_params),
        (TUNNEL, tunnels.cloudflared_create_params),
        (TUNNEL_CONFIGURATION, configuration_update_params),
    ],
)
def test_what_is_sent_is_what_the_official_client_sends(model: ResourceModel, module: Any) -> None:
    """Under the same names."""
    sent = {to_wire_name(field.name) for field in model.inputs if not (field.local or field.later)}
    assert sent <= members(module)


def test_what_changes_in_place_is_what_the_official_client_edits() -> None:
    """All that can be changed in a zone, and in a tunnel."""
    for model, module in ((ZONE, zone_edit_params), (TUNNEL, tunnels.cloudflared_edit_params)):
        changeable = {to_wire_name(field.name) for field in model.inputs if not (field.replaces or field.local)}
        assert changeable <= members(module)


RULE = (block_rule_param, execute_rule_param, skip_rule_param, ruleset_create_params)
WITHIN = {
    "rule": (RULESET, "RulesetRuleArgs", RULE),
    "rate": (RULESET, "RulesetRuleRatelimitArgs", RULE),
    "logging": (RULESET, "RulesetRuleLoggingArgs", (logging_param,)),
    "origin": (LOAD_BALANCER_POOL, "LoadBalancerPoolOriginArgs", (origin_param,)),
    "header": (LOAD_BALANCER_POOL, "LoadBalancerPoolOriginHeaderArgs", (header_param,)),
    "shedding": (LOAD_BALANCER_POOL, "LoadBalancerPoolLoadSheddingArgs", (load_balancers.load_shedding_param,)),
    "tunnel": (TUNNEL_CONFIGURATION, "ZeroTrustTunnelCloudflaredConfigConfigArgs", (configuration_update_params,)),
}


@pytest.mark.parametrize(("model", "arguments", "modules"), WITHIN.values(), ids=WITHIN)
def test_members_within_a_property_are_sent_under_the_official_clients_names(
    model: ResourceModel, arguments: str, modules: tuple[Any, ...]
) -> None:
    """Pulumi writes some in the plural, and Cloudflare some in camel case."""
    known = members(*modules)
    for name in nested_names(getattr(arguments_of, arguments), deep=model is TUNNEL_CONFIGURATION) - {"disabledAt"}:
        (wire,) = to_wire({name: 1}, model.names)
        assert wire in known, name
        assert to_properties({wire: 1}, model.names) == {name: 1}


def nested_names(arguments: Any, *, deep: bool) -> set[str]:
    """The members of a type and, where wanted, of those within it."""
    names = input_type_py_to_pulumi_names(arguments)
    found = set(names.values())
    for parameter in inspect.signature(arguments.__init__).parameters.values() if deep else ():
        for inner in re.findall(r"ForwardRef\('(\w+Args)'\)", str(parameter.annotation)):
            found |= nested_names(getattr(arguments_of, inner), deep=True)
    return found


@pytest.mark.parametrize("action", ["execute", "skip", "block"])
def test_the_parameters_of_the_actions_we_use_are_the_official_ones(action: str) -> None:
    """Of the others no program of ours has any."""
    used = {"execute": ["id", "overrides"], "skip": ["phases", "ruleset", "products", "rules"], "block": ["response"]}
    ours = set(input_type_py_to_pulumi_names(arguments_of.RulesetRuleActionParametersArgs).values())
    assert set(used[action]) <= ours & members(*RULE)
