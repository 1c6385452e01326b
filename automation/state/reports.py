"""What the platform stacks have made, as it stands in the engine's state."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from api.state.errors import StateCorrupt
from api.state.store import StateStore
from components.specs.platform import REPORT_OUTPUT, StackReport, parse_platform_stack, parse_report

_STACK_TYPE = "pulumi:pulumi:Stack"
_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - how the engine marks a secret


def platform_reports(states: StateStore) -> Iterator[tuple[str, StackReport | str]]:
    """Yield every platform stack that is up with its report, or with why there is none; 1 to 2 ms a stack.

    Raises:
        StateUnavailable: if the state database does not answer.
    """
    for stack, deployment in states.deployments():
        if parse_platform_stack(stack) is None:
            continue
        if isinstance(deployment, StateCorrupt):
            yield stack, deployment.detail
        elif deployment.get("resources"):
            yield stack, _report(deployment)


def _report(deployment: Mapping[str, Any]) -> StackReport | str:
    outputs: Mapping[str, Any] = {}
    for resource in deployment["resources"]:
        if resource["type"] == _STACK_TYPE:
            outputs = resource.get("outputs") or {}
    document = outputs.get(REPORT_OUTPUT)
    if document is None:
        return f"its state has no output '{REPORT_OUTPUT}': run `pulumi up` to its end first"
    if isinstance(document, dict) and _SECRET in document:
        return f"its output '{REPORT_OUTPUT}' is a secret, and a report must hold none"
    try:
        return parse_report(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the report"
        return f"its output '{REPORT_OUTPUT}' is no report: {place}: {first['msg']}"
