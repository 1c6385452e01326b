"""A stand-in for the engine's resource monitor: runs a program in this process and returns what it declared."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import Mocks, set_mocks
from pulumi.runtime import test as run_with_mocks
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.settings import reset_options


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource as it was declared: inputs are named and shaped as the provider sees them."""

    type: str
    name: str
    inputs: Mapping[str, Any]


@dataclass(slots=True)
class _Recorder(Mocks):
    """Gives each resource the state that a provider with nothing to add would return: its inputs."""

    declared: list[Declared] = field(default_factory=list)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.declared.append(Declared(args.typ, args.name, args.inputs))
        # Hetzner's ids are numbers, and programs read them as such.
        numbered = args.typ.startswith("hcloud:") or args.typ.endswith("slipway:VSwitch")
        return str(1000 + len(self.declared)) if numbered else f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"the program called the function '{args.token}', which needs a provider")


@dataclass(frozen=True, slots=True)
class Program:
    """What a program declared and what its outputs came to."""

    resources: Sequence[Declared]
    outputs: Mapping[str, Any]

    def inputs(self, type_token: str) -> Mapping[str, Any]:
        """Return the inputs of the only resource of a type."""
        (resource,) = self.all_of(type_token)
        return resource.inputs

    def all_of(self, type_token: str) -> Sequence[Declared]:
        """Return every resource of a type."""
        return [resource for resource in self.resources if resource.type == type_token]


def run_program(program: Callable[[], Mapping[str, pulumi.Output[Any]]], *, stack: str = "w-test") -> Program:
    """Run ``program`` against a fresh monitor.

    Args:
        program: declares resources and returns the outputs that the test wants to see.
        stack: the name of the stack it believes to be in.
    """
    recorder = _Recorder()
    outputs: dict[str, Any] = {}

    @run_with_mocks  # type: ignore[untyped-decorator]  # the SDK's own decorator has no types
    def body() -> pulumi.Output[None]:
        return pulumi.Output.all(**program()).apply(outputs.update)

    asyncio.set_event_loop(_event_loop())
    set_mocks(recorder, project="slipway", stack=stack)
    try:
        body()
    finally:
        reset_options()  # else whatever logs by the SDK in a later test would speak to this monitor
    return Program(tuple(recorder.declared), outputs)


@functools.cache
def _event_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that all programs of this process run on.

    The SDK takes whichever loop the thread has. Other tests' ``asyncio.run`` leaves the thread without one, and a loop
    of its own for each program would be closed under the SDK's feet: it still tracks outputs of the one before.
    """
    return asyncio.new_event_loop()
