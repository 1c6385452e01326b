"""List parameters sent as a repeated key.

The provider clears a container's unused interfaces with ``delete=net1&delete=net2``. Proxmox VE joins the values of
a repeated key where a ``-list`` format is wanted (``$normalize_legacy_param_formats`` in its ``RESTHandler.pm``);
fakepve refuses the array.
"""

from collections.abc import Mapping
from typing import Any

from fakepve import FakePve


def joined(declared: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with repeated keys joined by commas where the API declares a list in a string.

    Args:
        declared: the API schema's properties of the call.
        values: the parameters as received; a repeated key has a list.
    """

    def wants_list(name: str) -> bool:
        schema = declared.get(name, {})
        return schema.get("type") == "string" and str(schema.get("format", "")).endswith("-list")

    return {
        name: ",".join(map(str, value)) if isinstance(value, list) and wants_list(name) else value
        for name, value in values.items()
    }


class RepeatedKeys(FakePve):  # type: ignore[misc] # fakepve ships no type information
    """Joins repeated keys before the parameters are checked."""

    async def answer(self, request: Any, match: Any, params: Mapping[str, Any], user: str, call: Any = None) -> Any:
        """The answer of a call, as fakepve gives it, with its list parameters joined."""
        method = match.methods.get(request.method) if match is not None else None
        declared = ((method or {}).get("parameters") or {}).get("properties", {})
        return await super().answer(request, match, joined(declared, params), user, call)
