"""Pulumi programs for the engine's tests, imported by the engine children through ``PYTHONPATH``."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult


class Room(pulumi.ComponentResource):
    """A resource that needs no provider."""

    def __init__(self, name: str) -> None:
        super().__init__("slipway:test:Room", name)
        self.register_outputs({})


def rooms(spec: Mapping[str, Any]) -> Callable[[], None]:
    """Make as many components as the spec says and export what the process can see of its environment."""
    number = int(spec["rooms"])

    def program() -> None:
        for index in range(number):
            Room(f"room-{index}")
        pulumi.export("rooms", number)
        pulumi.export("environment", sorted(os.environ))

    return program


def waits(spec: Mapping[str, Any]) -> Callable[[], None]:
    """Say that it runs by making one file, and go on once another one exists."""
    started, gate = Path(spec["started"]), Path(spec["gate"])

    def program() -> None:
        started.touch()
        while not gate.exists():
            time.sleep(0.01)
        pulumi.export("passed", value=True)

    return program


def greedy(spec: Mapping[str, Any]) -> Callable[[], None]:
    """Ask for more memory than an operation may have."""

    def program() -> None:
        pulumi.export("size", len(bytearray(int(spec["bytes"]))))

    return program


def broken(spec: Mapping[str, Any]) -> Callable[[], None]:
    """Fail with a secret in the message."""

    def program() -> None:
        raise RuntimeError(f"boom password={spec['secret']}")

    return program


def secretive(spec: Mapping[str, Any]) -> Callable[[], None]:
    """Export a secret, which the state holds encrypted."""

    def program() -> None:
        pulumi.export("secret", pulumi.Output.secret(spec["secret"]))

    return program


class ThingProvider(ResourceProvider):
    """Keeps a thing in a file, where a test can change it behind the engine's back."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Write the file."""
        Path(props["file"]).write_text(str(props["value"]))
        return CreateResult("thing", props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Say that another colour is another thing."""
        replaces = ["colour"] if _olds.get("colour") != _news.get("colour") else []
        return DiffResult(changes=_olds.get("value") != _news.get("value") or bool(replaces), replaces=replaces)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Write the file again."""
        Path(_news["file"]).write_text(str(_news["value"]))
        return UpdateResult(_news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is in the file; a thing without one is gone."""
        file = Path(props["file"])
        return ReadResult(id_, {**props, "value": file.read_text()}) if file.exists() else ReadResult(None, {})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the file."""
        Path(_props["file"]).unlink(missing_ok=True)


class Thing(Resource):
    """A custom resource that needs no provider but Python."""

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ThingProvider(), name, dict(props), opts)


def things(spec: Mapping[str, Any]) -> Callable[[], None]:
    """Make one thing inside a component, and export its value."""

    def program() -> None:
        secret = pulumi.Output.secret(spec["rconPassword"]) if "rconPassword" in spec else None
        Thing("thing", {**spec, **({"sealed": secret} if secret else {})}, pulumi.ResourceOptions(parent=Room("room")))
        pulumi.export("value", spec["value"])

    return program
