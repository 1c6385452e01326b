"""From what the engine tells a policy pack to steps of a plan. Pure.

The engine tells a pack each resource that is to be there, not what would happen to it: so every step here creates, and
a rule about what is lost has nothing to go by.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from pulumi.runtime import rpc

from components.plans import PlanStep, StepOp

_OURS = "slipway:"
_ENGINES = ("pulumi:providers:", "pulumi:pulumi:Stack")
_SIGNATURE, _SECRET = rpc._special_sig_key, rpc._special_secret_sig  # noqa: SLF001 - the SDK has no other name for them


def is_judged(token: str) -> bool:
    """Tell whether a type is a resource of its own: components of ours, providers and the stack itself are not."""
    return not token.startswith((_OURS, *_ENGINES))


def step_of(resource: Any) -> PlanStep:
    """Return the step of an ``AnalyzeRequest`` or an ``AnalyzerResource``; secrets are masked."""
    inputs = _plain(json_format.MessageToDict(resource.properties))
    return PlanStep(urn=resource.urn, type=resource.type, op=StepOp.CREATE, name=resource.name, inputs=inputs)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return "[secret]" if value[_SIGNATURE] == _SECRET else f"[{value[_SIGNATURE]}]"
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return "[unknown]" if value == rpc.UNKNOWN else value
