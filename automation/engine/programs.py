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


def platform(document: Mapping[str, Any]) -> Callable[[], Any]:
    """Return the Pulumi program of a platform stack.

    Its SDKs are imported here, in the child: such runs are rare, and an idle host need not hold them.

    Args:
        document: ``{"stack": …, "spec": …}``.

    Raises:
        LookupError: if the name is no platform stack's.
        pulumi.RunError: if the configuration is wrong; names each key.
    """
    from stacks.platform.registry import platform_program  # noqa: PLC0415 - see above

    return platform_program(str(document["stack"]), document["spec"])
