"""The package schema of what is served, in Pulumi's form."""

from typing import Any

from automation.toolchain.parts import CLOUDFLARE
from automation.toolchain.plugins.cloudflare.model import Field, ResourceModel
from automation.toolchain.plugins.cloudflare.resources import MODELS


def package_schema() -> dict[str, Any]:
    """The schema; objects and lists are of any content, since the SDK brings their types."""
    return {
        "name": CLOUDFLARE.plugin,
        "version": CLOUDFLARE.version,
        # Tokens are like index/zone:Zone, of which "index" is the module: the form of all bridged providers.
        "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        "description": "The Cloudflare resources that Slipway uses.",
        "provider": {"inputProperties": {name: {"type": "string"} for name in ("apiToken", "baseUrl")}},
        "resources": {token: _resource(model) for token, model in MODELS.items()},
    }


def _resource(model: ResourceModel) -> dict[str, Any]:
    return {
        "properties": {field.name: _type(field) for field in model.fields},
        "inputProperties": {field.name: _type(field) for field in model.inputs},
        "requiredInputs": [field.name for field in model.inputs if field.use == "required"],
    }


def _type(field: Field) -> dict[str, Any]:
    anything = {"$ref": "pulumi.json#/Any"}
    if field.kind == "any":
        return anything
    if field.kind == "array":
        return {"type": "array", "items": anything}
    if field.kind in {"object", "map"}:
        return {"type": "object", "additionalProperties": anything}
    return {"type": "string" if field.kind == "json" else field.kind}
