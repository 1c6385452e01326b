"""Pulumi programs for the engine's tests, imported by the engine children through ``PYTHONPATH``."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi


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
