"""Slipway's own Cloudflare plugin has the official plugin's names for programs, the official client's for the API."""

import inspect
from collections.abc import Mapping
from typing import Any

import pytest
from cloudflare.types.dns import record_create_params, record_update_params
from cloudflare.types.zones import zone_create_params, zone_edit_params
from pulumi._types import input_type_py_to_pulumi_names
from pulumi_cloudflare import DnsRecord, DnsRecordArgs, Zone, ZoneArgs

from automation.toolchain.plugins.cloudflare.model import ResourceModel
from automation.toolchain.plugins.cloudflare.naming import to_property_name, to_wire_name
from automation.toolchain.plugins.cloudflare.resources import DNS_RECORD, ZONE

PAIRS = [(DNS_RECORD, DnsRecord, DnsRecordArgs), (ZONE, Zone, ZoneArgs)]


@pytest.mark.parametrize(("model", "resource", "arguments"), PAIRS, ids=["record", "zone"])
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
    if "outputs." in hint:
        return "object"
    if "Sequence" in hint:
        return "array"
    kinds = {"str": "string", "float": "number", "bool": "boolean"}
    return next(kind for name, kind in kinds.items() if f"{name}]" in hint)


def members(module: Any) -> set[str]:
    """Every parameter of a request of the official client, whatever the kind of object."""
    types = [item for item in vars(module).values() if inspect.isclass(item) and hasattr(item, "__annotations__")]
    return {name for item in types if item.__module__ == module.__name__ for name in item.__annotations__}


@pytest.mark.parametrize(
    ("model", "module"),
    [
        (DNS_RECORD, record_create_params),
        (DNS_RECORD, record_update_params),
        (ZONE, zone_create_params),
    ],
)
def test_what_is_sent_is_what_the_official_client_sends(model: ResourceModel, module: Any) -> None:
    """Under the same names."""
    sent = {to_wire_name(field.name) for field in model.inputs if not (field.local or field.later)}
    assert sent <= members(module)


def test_what_changes_in_a_zone_is_what_the_official_client_edits() -> None:
    """All that can be changed in place."""
    changeable = {to_wire_name(field.name) for field in ZONE.inputs if not field.replaces}
    assert changeable <= members(zone_edit_params)
