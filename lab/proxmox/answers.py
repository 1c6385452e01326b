"""Answers in the types of Proxmox VE's API schema.

fakepve keeps a configuration value as the client sent it, so ``cores=2`` from a form comes back as the
string ``"2"`` where Proxmox VE answers the integer 2; the provider's decoder refuses the string.
"""

from collections.abc import Mapping
from typing import Any

from fakepve import schema


def as_declared(template: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a GET answer, each in the type that the API schema declares for it.

    Args:
        template: the schema path, such as ``/nodes/{node}/qemu/{vmid}/config``.
        values: the answer as kept. Keys that the schema does not name stay as they are.
    """
    declared = schema.load().paths[template]["GET"]["returns"].get("properties", {})
    return {key: convert(declared.get(key, {}).get("type"), value) for key, value in values.items()}


def convert(kind: str | None, value: Any) -> Any:
    """One value in a type of the API schema; what has no declared type stays as it is."""
    if isinstance(value, (dict, list)) or value is None:
        return value
    if kind == "integer":
        return int(value)
    if kind == "number":
        number = float(value)
        return int(number) if number.is_integer() else number
    if kind == "boolean":
        return int(str(value).lower() in schema.TRUE)  # Proxmox VE writes booleans as 0 and 1
    if kind == "string":
        return str(value)
    return value
