"""A machine of one's own."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.compute.machine import BootProfile, Installation, MachineClaim, Wipe
from components.compute.workload import Workload
from components.specs import BareMetalSpec


class BareMetal(Workload):
    """A dedicated machine: claimed, to be wiped at the end, told what it becomes, installed.

    Each depends on the one before, so a removal goes the other way: switched off, nothing to install any more, wiped,
    and only then given back.
    """

    machine: pulumi.Output[str]
    image: pulumi.Output[str]

    def __init__(self, name: str, spec: BareMetalSpec, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:compute:BareMetal", name, spec, opts=opts)
        claim = MachineClaim(f"{name}-claim", spec, opts=pulumi.ResourceOptions(parent=self))
        wipe = Wipe(f"{name}-wipe", spec, opts=pulumi.ResourceOptions(parent=self, depends_on=[claim]))
        profile = BootProfile(f"{name}-profile", spec, opts=pulumi.ResourceOptions(parent=self, depends_on=[wipe]))
        installation = Installation(
            f"{name}-installation", spec, opts=pulumi.ResourceOptions(parent=self, depends_on=[profile])
        )
        self.machine = claim.name
        self.image = installation.image
        self.register_outputs(dict(self.outputs))

    @property
    def outputs(self) -> Mapping[str, pulumi.Output[Any]]:
        """The stack outputs of this workload by name."""
        return {"machine": self.machine, "image": self.image, **super().outputs}
