"""A tiny platform stack for tests, imported by the engine children through ``PYTHONPATH``."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi_hcloud as hcloud

from components.specs.platform import PlatformKind, PlatformSpec
from stacks.platform.program import Declared, Estate
from stacks.platform.registry import Kind, platform_program


class TinySpec(PlatformSpec):
    """Networks by name."""

    cidrs: dict[str, str]


class TinyProgram:
    """Makes networks at Hetzner Cloud."""

    def __init__(self, spec: TinySpec, estate: Estate) -> None:
        self._spec = spec
        self._estate = estate

    def declare(self) -> Declared:
        """Declare them."""
        labels = self._estate.labels
        made = {
            name: hcloud.Network(name, name=name, ip_range=cidr, labels=labels)
            for name, cidr in self._spec.cidrs.items()
        }
        return Declared(outputs={"ids": [network.id for network in made.values()]}, resources=list(made.values()))


def tiny(document: Mapping[str, Any]) -> Callable[[], None]:
    """Return the program of a stack of the kind ``network``, as ``automation.engine.programs:platform`` does."""
    kinds = {PlatformKind.NETWORK: Kind(f"{__name__}:TinySpec", f"{__name__}:TinyProgram")}
    return platform_program(document["stack"], document["spec"], kinds=kinds)
