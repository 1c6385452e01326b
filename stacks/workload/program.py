"""From a ``WorkloadSpec`` to the resources of one customer's stack."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pulumi

from components.compute import BareMetal, Bot, CloudVm, GameServer, Workload
from components.compute.workload import AnyWorkloadSpec
from components.specs import WorkloadKind
from stacks.stack_traces import leave_out_stack_traces

RESOURCE_NAME = "workload"
"""Logical name of the component in every stack. It is part of every URN: never change it without an alias."""

COMPONENTS: Mapping[WorkloadKind, Callable[[str, Any], Workload]] = MappingProxyType(
    {
        WorkloadKind.CLOUD_VM: CloudVm,
        WorkloadKind.GAME_SERVER: GameServer,
        WorkloadKind.BOT: Bot,
        WorkloadKind.BARE_METAL: BareMetal,
    }
)
"""The component of each kind: the one place where a new kind is added."""


class WorkloadProgram:
    """A Pulumi program that declares one workload and exports what the rest of Slipway has to know of it.

    It holds no credential. The providers find theirs in the environment of the process that runs the engine:
    ``PROXMOX_VE_ENDPOINT``, ``PROXMOX_VE_API_TOKEN`` and ``PROXMOX_VE_INSECURE``; ``CLOUDFLARE_API_TOKEN`` and
    ``CLOUDFLARE_BASE_URL``; for a machine ``SLIPWAY_METAL_URL``, ``SLIPWAY_METAL_GRANT`` and ``SLIPWAY_BMC_*``. So
    nothing secret reaches a stack's inputs or its state, and a rotated credential needs no update of any stack.
    """

    def __init__(self, spec: AnyWorkloadSpec) -> None:
        self._spec = spec

    def __call__(self) -> None:
        """Declare the resources; called by the engine's language runtime."""
        leave_out_stack_traces()
        workload = COMPONENTS[self._spec.kind](RESOURCE_NAME, self._spec)
        for name, value in workload.outputs.items():
            pulumi.export(name, value)
