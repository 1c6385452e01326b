"""Programs an engine child can run, named by path in ``EngineSettings.program``."""

from collections.abc import Callable, Mapping
from typing import Any

from components.specs import parse_workload_spec
from stacks.workload.program import WorkloadProgram


def workload(spec: Mapping[str, Any]) -> Callable[[], Any]:
    """Return the Pulumi program of one customer's workload.

    Raises:
        ValueError: if the spec document is not valid; names each field and why.
    """
    return WorkloadProgram(parse_workload_spec(spec))
