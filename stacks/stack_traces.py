"""Keeps the places in a program's source that the SDK sends with each resource out of the stacks' state."""

from collections.abc import Callable
from typing import Any

from pulumi.runtime.settings import get_monitor

_CALLS = ("RegisterResource", "ReadResource")


def leave_out_stack_traces() -> None:
    """Send no stack traces from now on in this run of a program.

    The SDK for Python sends the whole stack, the interpreter's frames included, with every resource, and the engine
    keeps it in the state: more than half of it, which is written anew after each step, and full of paths of the
    machine that it was run on (ADR 38). The place where a resource is declared is still kept: ``sourcePosition``.
    """
    monitor: Any = get_monitor()
    for name in _CALLS:
        setattr(monitor, name, _without_stack_trace(getattr(monitor, name)))


def _without_stack_trace(send: Callable[..., Any]) -> Callable[..., Any]:
    def sent(request: Any, *arguments: Any, **options: Any) -> Any:
        request.ClearField("stackTrace")
        return send(request, *arguments, **options)

    return sent
