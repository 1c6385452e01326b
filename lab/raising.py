"""Raises the lab's estate, looks at it and takes it down with the ``pulumi`` CLI, as an engineer does in a clone.

Stacks that do not stand on each other are worked on side by side.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components.specs.platform import PlatformKind, platform_stack

ESTATE = "lab"
REPOSITORY = Path(__file__).parents[1]

STANDS_ON: Mapping[PlatformKind, frozenset[PlatformKind]] = MappingProxyType(
    {
        PlatformKind.NETWORK: frozenset(),
        PlatformKind.BARE_METAL_POOL: frozenset({PlatformKind.NETWORK}),
        PlatformKind.NODES: frozenset({PlatformKind.NETWORK}),
        PlatformKind.EDGE: frozenset({PlatformKind.NETWORK}),
        PlatformKind.CONTROL_PLANE: frozenset({PlatformKind.NETWORK}),
        PlatformKind.BACKUP: frozenset({PlatformKind.NETWORK, PlatformKind.NODES}),
        PlatformKind.OBSERVABILITY: frozenset({PlatformKind.NETWORK}),
    }
)
"""Whose outputs each kind of stack uses."""

SIDE_BY_SIDE = 3
"""Stacks at once: an engine waits for the world half of its time, and two cores are a small machine."""


class RaisingError(Exception):
    """The CLI failed; the message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did to one stack: steps by operation (``create``, ``same``, …), and how long it took."""

    kind: PlatformKind
    changes: Mapping[str, int]
    seconds: float

    @property
    def changed(self) -> dict[str, int]:
        """The steps that changed something, or would."""
        return {name: count for name, count in self.changes.items() if name not in {"same", "read"}}


def copy_project(folder: Path) -> None:
    """Make a Pulumi project in ``folder`` that runs this tree's programs with this tree's lab configuration.

    The CLI writes each stack's salt into its configuration file, and those of the tree stay as they are.
    """
    for file in (REPOSITORY / "Pulumi.yaml", *REPOSITORY.glob(f"Pulumi.{ESTATE}-*.yaml")):
        shutil.copy(file, folder)
    (folder / "stacks").symlink_to(REPOSITORY / "stacks")


class Raising:
    """The estate's stacks in one project.

    Args:
        project: a folder with ``Pulumi.yaml``.
        pulumi: the CLI.
        environment: the engine's whole environment: credentials, the state's address and passphrase, ``PATH``.
        kinds: which stacks; all by default.
        report: told each stack as it is done.
    """

    def __init__(
        self,
        project: Path,
        pulumi: Path,
        environment: Mapping[str, str],
        kinds: Collection[PlatformKind] = tuple(PlatformKind),
        report: Callable[[Done], None] = lambda _: None,
    ) -> None:
        self._project, self.pulumi, self.environment = project, pulumi, dict(environment)
        self._kinds, self._report = frozenset(kinds), report

    def up(self) -> list[Done]:
        """Bring every stack up, in the order in which they stand on each other; blocks.

        Raises:
            RaisingError: if one fails; those that stand on it are not begun.
        """
        return self._each(self._up, STANDS_ON)

    def preview(self, *, refresh: bool = False) -> list[Done]:
        """Look at what an ``up`` of every stack would change; with ``refresh`` against what is really there."""
        look = ("preview", "--refresh") if refresh else ("preview",)
        return self._each(lambda kind: self._changes(kind, *look), dict.fromkeys(self._kinds, frozenset()))

    def destroy(self) -> list[Done]:
        """Take every stack down, in the reverse order; blocks."""
        reverse = {
            kind: frozenset(other for other, needed in STANDS_ON.items() if kind in needed) for kind in STANDS_ON
        }
        return self._each(lambda kind: self._changes(kind, "destroy", "--yes", "--skip-preview"), reverse)

    def run(self, kind: PlatformKind, *arguments: str) -> str:
        """Run the CLI on one stack and return what it wrote to its standard output; blocks.

        Raises:
            RaisingError: if it fails.
        """
        command = [str(self.pulumi), *arguments, "--stack", platform_stack(ESTATE, kind), "--non-interactive"]
        done = subprocess.run(
            command, cwd=self._project, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            words = f"{done.stdout}\n{done.stderr}".strip()
            raise RaisingError(f"`pulumi {' '.join(command[1:])}` failed:\n{words}")
        return done.stdout

    def _up(self, kind: PlatformKind) -> Done:
        self.run(kind, "stack", "select", "--create")
        return self._changes(kind, "up", "--yes", "--skip-preview")

    def _changes(self, kind: PlatformKind, *arguments: str) -> Done:
        """Run an operation with its events in a file, which is where its summary is."""
        log = self._project / f"{kind}.{arguments[0]}.events"
        log.unlink(missing_ok=True)
        began = time.monotonic()
        self.run(kind, *arguments, "--suppress-progress", "--event-log", str(log))
        return Done(kind, _summary(log), time.monotonic() - began)

    def _each(
        self, act: Callable[[PlatformKind], Done], after: Mapping[PlatformKind, frozenset[PlatformKind]]
    ) -> list[Done]:
        order = TopologicalSorter({kind: after[kind] & self._kinds for kind in self._kinds})
        order.prepare()
        done: list[Done] = []
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            running: dict[Future[Done], PlatformKind] = {}
            while order.is_active():
                running |= {pool.submit(act, kind): kind for kind in order.get_ready()}
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    order.done(running.pop(future))
                    done.append(future.result())
                    self._report(done[-1])
        return done


def _summary(log: Path) -> Mapping[str, int]:
    for event in _events(log):
        if "summaryEvent" in event:
            changes: Mapping[str, int] = event["summaryEvent"].get("resourceChanges") or {}
            return changes
    return {}


def _events(log: Path) -> Iterator[dict[str, Any]]:
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def engine_environment(toolchain: Mapping[str, str], platform: Mapping[str, str]) -> dict[str, str]:
    """Compose what the CLI needs: the toolchain's settings, the estate's credentials, and this user's home."""
    own = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**own, **toolchain, **platform, "PULUMI_DEBUG_COMMANDS": "true"}  # unlocks --event-log
