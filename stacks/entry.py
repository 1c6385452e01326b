"""Chooses the program of a stack by the stack's name, for ``pulumi preview`` and ``pulumi up`` by hand."""

import json
from collections.abc import Callable

import pulumi
from pydantic import ValidationError

from components.specs import parse_workload_spec
from stacks.workload.program import WorkloadProgram

WORKLOAD_PREFIX = "w-"
SPEC_KEY = "spec"


def choose_program(stack: str, spec_document: str | None) -> Callable[[], None]:
    """Return the program that belongs to ``stack``.

    Args:
        stack: the name of the selected stack.
        spec_document: the stack's configuration value ``slipway:spec``, JSON, or None where it is not set.

    Raises:
        pulumi.RunError: if the name is of no known kind, or the spec is missing or wrong; the message says what to do.
    """
    if not stack.startswith(WORKLOAD_PREFIX):
        raise pulumi.RunError(
            f"no program belongs to the stack '{stack}': a customer's stack is named '{WORKLOAD_PREFIX}' and an id"
        )
    if spec_document is None:
        raise pulumi.RunError(
            f"the stack '{stack}' has no configuration value 'slipway:{SPEC_KEY}': set it with "
            f'`pulumi config set slipway:{SPEC_KEY} "$(cat spec.json)"`, the workload\'s spec as JSON'
        )
    try:
        return WorkloadProgram(parse_workload_spec(json.loads(spec_document)))
    except json.JSONDecodeError as error:
        raise pulumi.RunError(f"'slipway:{SPEC_KEY}' of the stack '{stack}' is not JSON: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise pulumi.RunError(f"'slipway:{SPEC_KEY}' of the stack '{stack}' is wrong: {problems}") from None


def main() -> None:
    """Run the selected stack's program; called by the Pulumi CLI's Python runtime."""
    choose_program(pulumi.get_stack(), pulumi.Config("slipway").get(SPEC_KEY))()
