"""What a checkpoint says. Pure."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.state.errors import StateCorrupt

_VERSIONS = frozenset({3, 4})
# When and from where the engine last wrote a resource says nothing of the resource.
_TIMES = frozenset({"created", "modified", "sourcePosition", "stackTrace"})
# How the engine marks a secret (``sdk/go/common/resource/sig``).
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
_SETS = frozenset({"dependencies", "additionalSecretOutputs", "aliases", "replaceWith"})


def read_checkpoint(stack: str, stored: Any) -> dict[str, Any]:
    """Return the deployment in a stored checkpoint; of a stack that was never brought up: an empty one.

    Args:
        stack: its name, for the error.
        stored: what the row holds: a JSON object whose ``data`` is the checkpoint file in base64.

    Raises:
        StateCorrupt: if it is not a whole checkpoint of a version that is known.
    """
    try:
        document = json.loads(base64.b64decode(stored["data"], validate=True))
        version, latest = document["version"], document["checkpoint"].get("latest") or {}
        resources, pending = latest.get("resources") or [], latest.get("pending_operations") or []
        whole = all(_is_resource(resource) for resource in resources) and all(
            isinstance(operation["type"], str) and _is_resource(operation["resource"]) for operation in pending
        )
    except (TypeError, ValueError, KeyError, AttributeError, binascii.Error, RecursionError) as error:
        raise _corrupt(stack, f"{type(error).__name__}: {error}") from error
    if version not in _VERSIONS:
        raise _corrupt(stack, f"version {version} is not one of {sorted(_VERSIONS)}")
    if not whole:
        raise _corrupt(stack, "a resource has no urn or no type")
    return dict(latest)


def write_checkpoint(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what a row holds of a checkpoint: the opposite of reading it."""
    return {"data": base64.b64encode(json.dumps(document).encode()).decode()}


def meaning(deployment: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a deployment's resources and pending operations.

    Neither times nor the order of keys count, nor the order of resources: steps that run side by side end in any. Of a
    secret it counts that there is one: the engine encrypts each anew with every operation.
    """
    resources = sorted(_canonical(_essence(resource)) for resource in deployment.get("resources") or [])
    pending = sorted(
        _canonical({**operation, "resource": _essence(operation["resource"])})
        for operation in deployment.get("pending_operations") or []
    )
    return hashlib.sha256(_canonical({"resources": resources, "pending": pending}).encode()).hexdigest()


def _essence(resource: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: _in_order(value) if name in _SETS else value for name, value in resource.items()}
    kept["propertyDependencies"] = {
        name: _in_order(urns) for name, urns in (resource.get("propertyDependencies") or {}).items()
    }
    return {
        name: _without_ciphertext(value)
        for name, value in kept.items()
        if name not in _TIMES and value not in (None, {}, [], "")
    }


def _without_ciphertext(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_ciphertext(item) for item in value]
    if not isinstance(value, dict):
        return value
    is_secret = value.get(_SIGNATURE) == _SECRET
    return {name: _without_ciphertext(item) for name, item in value.items() if not (is_secret and name == "ciphertext")}


def _in_order(names: Sequence[str] | None) -> list[str]:
    return sorted(names or [])


def _is_resource(resource: Any) -> bool:
    return isinstance(resource["urn"], str) and isinstance(resource["type"], str)


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _corrupt(stack: str, why: str) -> StateCorrupt:
    detail = f"the state of stack {stack} cannot be read ({why[:200]}); restore it from its backup before anything else"
    return StateCorrupt(detail, stack=stack)
