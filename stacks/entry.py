"""Chooses the program of a stack by the stack's name, for ``pulumi preview`` and ``pulumi up`` by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
from pydantic import ValidationError

from components.specs import parse_workload_spec
from components.specs.platform import PlatformKind, parse_platform_stack
from stacks.platform.registry import platform_program

WORKLOAD_PREFIX = "w-"
SPEC_KEY = "spec"


def choose_program(stack: str, document: str | None, folder: Path | None = None) -> Callable[[], None]:
    """Return the program that belongs to ``stack``.

    Args:
        stack: the name of the selected stack.
        document: the stack's configuration value ``slipway:spec``, JSON, or None where it is not set.
        folder: where ``Pulumi.<stack>.yaml`` is, if anywhere: errors then name its lines.

    Raises:
        pulumi.RunError: if the name is of no known kind, or the spec is missing or wrong; the message says what to do.
    """
    is_platform = parse_platform_stack(stack) is not None
    if not is_platform and not stack.startswith(WORKLOAD_PREFIX):
        raise pulumi.RunError(
            f"no program belongs to the stack '{stack}': a customer's stack is named '{WORKLOAD_PREFIX}' and an id, "
            f"a platform stack after its estate and one of {', '.join(PlatformKind)}, such as 'lab-network'"
        )
    if document is None:
        how = (
            "describe it in" if is_platform else f'set it with `pulumi config set slipway:{SPEC_KEY} "$(cat …)"` or in'
        )
        raise pulumi.RunError(
            f"the stack '{stack}' has no configuration value 'slipway:{SPEC_KEY}': {how} Pulumi.{stack}.yaml"
        )
    parsed = _parse(stack, document)
    if is_platform:
        return platform_program(stack, parsed, folder / f"Pulumi.{stack}.yaml" if folder is not None else None)
    from stacks.workload.program import WorkloadProgram  # noqa: PLC0415 - its SDKs take seconds; a platform stack has others

    try:
        return WorkloadProgram(parse_workload_spec(parsed))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise pulumi.RunError(f"'slipway:{SPEC_KEY}' of the stack '{stack}' is wrong: {problems}") from None


def _parse(stack: str, document: str) -> Any:
    try:
        return json.loads(document)
    except json.JSONDecodeError as error:
        raise pulumi.RunError(f"'slipway:{SPEC_KEY}' of the stack '{stack}' is not JSON: {error}") from None


def main() -> None:
    """Run the selected stack's program; called by the Pulumi CLI's Python runtime."""
    stack = pulumi.get_stack()
    choose_program(stack, pulumi.Config("slipway").get(SPEC_KEY), Path(pulumi.get_root_directory()))()
