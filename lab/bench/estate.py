"""``slipway bench estate``: the provider's own estate by the pulumi CLI, from nothing to nothing; and a node more."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from automation.embedded.platform_environment import read_platform_environment
from automation.embedded.system import EmbeddedSystem, SystemOptions
from automation.toolchain import find_toolchain
from components.specs.platform import PlatformKind, platform_stack
from lab.bench.figures import Figure, at_most, shown, spread
from lab.document import LabDocument
from lab.faults.client import LabControl
from lab.raising import ESTATE, Done, Raising, copy_project, engine_environment

_MOST_RUNS = 3
_MOST_UP, _MOST_PREVIEW = 120.0, 30.0
_GROWN = 4
"""Nodes added one after the other to the three of the lab's configuration."""
_FIRST_NUMBER, _FIRST_ADDRESS = 321_003, 13
"""Robot's number and the last part of the private address of ``cloud-1``; later ones count on from there."""


def measure_estate(console: Console, orders: int) -> list[Figure]:
    """Raise, look at and take down the whole estate some times, then add nodes to it one by one; blocks for minutes."""
    runs = min(_MOST_RUNS, orders)
    taken: dict[str, list[float]] = {"up": [], "preview": [], "preview with refresh": [], "destroy": []}
    for number in range(1, runs + 1):
        console.print(f"Raising the whole estate, {number} of {runs}")
        # A lab for each run: Robot lets one login make so many requests an hour, and three runs need more.
        with _estate("game=1,bot=1,cloud=1") as (raising, _, _):
            for name, act in _acts(raising).items():
                taken[name].append(_seconds(act))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return [
        at_most("Estate: up from nothing", medians["up"], "s", _MOST_UP, spread(taken["up"], "s")),
        at_most("Estate: preview, unchanged", medians["preview"], "s", _MOST_PREVIEW, spread(taken["preview"], "s")),
        *(
            shown(f"Estate: {name}", medians[name], "s", spread(taken[name], "s"))
            for name in ("preview with refresh", "destroy")
        ),
        *_growth(console),
    ]


def _acts(raising: Raising) -> Mapping[str, Callable[[], Sequence[Done]]]:
    return {
        "up": raising.up,
        "preview": raising.preview,
        "preview with refresh": lambda: raising.preview(refresh=True),
        "destroy": raising.destroy,
    }


def _growth(console: Console) -> list[Figure]:
    """Add nodes one by one: what each costs in time, and in requests to itself and to each of the others."""
    seconds, own, others = [], [], []
    with _estate(f"game=1,bot=1,cloud={1 + _GROWN}") as (raising, project, lab):
        network = Raising(project, raising.pulumi, raising.environment, kinds=(PlatformKind.NETWORK,))
        nodes = Raising(project, raising.pulumi, raising.environment, kinds=(PlatformKind.NODES,))
        network.up()
        nodes.up()
        for count in range(1, _GROWN + 1):
            console.print(f"Adding node {count} of {_GROWN} to the estate")
            name = _add_node(project, count)
            before = {node: len(made) for node, made in lab.proxmox.requests().items()}
            seconds.append(_seconds(nodes.up))
            asked = {node: len(made) - before[node] for node, made in lab.proxmox.requests().items()}
            own.append(asked[name])
            others.append(max(number for node, number in asked.items() if node != name))
    return [
        at_most("Estate: a node more, last to first", seconds[-1] / seconds[0], "x", 1.2, spread(seconds, "s")),
        shown("Estate: requests to a new node", own[-1], "", f"the same for each: {own}"),
        shown("Estate: requests to another node meanwhile", others[-1], "", f"at most, by nodes added: {others}"),
    ]


def _add_node(project: Path, count: int) -> str:
    """Describe a node more in the stack's configuration, after the pattern of ``cloud-1``; returns its name."""
    file = project / f"Pulumi.{platform_stack(ESTATE, PlatformKind.NODES)}.yaml"
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    nodes = content["config"]["slipway:spec"]["nodes"]
    model = next(node for node in nodes if node["name"] == "cloud-1")
    name = f"cloud-{1 + count}"
    place = {"server_number": _FIRST_NUMBER + count, "private_address": f"10.10.16.{_FIRST_ADDRESS + count}"}
    nodes.append({**model, "name": name, **place})
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return name


@contextmanager
def _estate(nodes: str) -> Iterator[tuple[Raising, Path, LabControl]]:
    """A system with a bare lab, and a project for its stacks."""
    options = SystemOptions(lab_options=(f"--nodes={nodes}",), bare=True, workers=1)
    with (
        tempfile.TemporaryDirectory(prefix="slipway-estate-") as folder,
        EmbeddedSystem(Path(folder, "home"), options) as system,
    ):
        if system.lab_document is None:
            raise RuntimeError("the benchmark needs the lab")
        project = Path(folder, "project")
        project.mkdir()
        copy_project(project)
        toolchain = find_toolchain()
        environment = engine_environment(toolchain.environment(), read_platform_environment(system.home.path))
        with LabControl(LabDocument.load(system.lab_document)) as lab:
            yield Raising(project, toolchain.pulumi, environment), project, lab


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began
