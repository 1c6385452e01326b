"""What every provider here does with the engine's inputs."""

from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult
from pulumi.runtime import rpc
from pydantic import BaseModel, ValidationError

PROVIDER_KEY = "__provider"


def is_unknown(value: Any) -> bool:
    """Whether a value, or a part of it, is not known before something else exists."""
    if isinstance(value, dict):
        return any(map(is_unknown, value.values()))
    if isinstance(value, list | tuple):
        return any(map(is_unknown, value))
    return bool(value == rpc.UNKNOWN)


def check_inputs(model: type[BaseModel], news: Mapping[str, Any]) -> CheckResult:
    """Hold inputs against a spec and put them into its form; what is not known yet is held against it later."""
    given = {key: value for key, value in news.items() if key != PROVIDER_KEY}
    open_fields = {key for key, value in given.items() if is_unknown(value)}
    try:
        spec = model.model_validate({key: value for key, value in given.items() if key not in open_fields})
    except ValidationError as error:
        problems = [(str(item["loc"][0]) if item["loc"] else "", item["msg"]) for item in error.errors()]
        failures = [CheckFailure(name, message) for name, message in problems if name not in open_fields]
        return CheckResult(given, failures)
    return CheckResult({**spec.model_dump(mode="json"), **{key: given[key] for key in open_fields}}, [])
