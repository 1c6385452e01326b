"""The demo's scenes about the provider's own estate: raised, unchanged, guarded, taken down."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console

from automation.cli.output import row, table
from automation.embedded.platform_environment import read_platform_environment
from automation.embedded.system import EmbeddedSystem
from automation.toolchain import find_toolchain
from components.specs.platform import PlatformKind
from lab.demo.progress import DemoError, Placed
from lab.leftovers import leftovers
from lab.raising import Done, Raising, RaisingError, copy_project, engine_environment
from lab.truth import Truth

MOST_UP_SECONDS, MOST_PREVIEW_SECONDS = 120, 30
"""What the estate may take on two cores with nothing else at work."""


@contextmanager
def estate_of(system: EmbeddedSystem, console: Console) -> Iterator[Raising]:
    """The lab's stacks in a project of their own, with the running system's credentials and state."""
    toolchain = find_toolchain()
    environment = engine_environment(toolchain.environment(), read_platform_environment(system.home.path))
    with tempfile.TemporaryDirectory(prefix="slipway-project-") as folder:
        copy_project(Path(folder))
        yield Raising(Path(folder), toolchain.pulumi, environment, report=lambda done: _tell(console, done))


def known_nodes(system: EmbeddedSystem) -> list[str]:
    """The names of the nodes that Inventory knows and orders are placed on."""
    environment = read_platform_environment(system.home.path)
    headers = {"Authorization": f"Bearer {environment['SLIPWAY_INVENTORY_TOKEN']}"}
    answer = httpx.get(f"{system.api_url}/v1/inventory/nodes", headers=headers, timeout=30).raise_for_status()
    return [node["name"] for node in answer.json() if node["state"] == "active"]


def raise_estate(console: Console, raising: Raising, system: EmbeddedSystem) -> None:
    """Bring every stack up; before that Inventory knows no node."""
    if known_nodes(system):
        raise DemoError("Inventory knows nodes that no stack has made")
    console.print("Inventory knows no node; the dedicated servers are blank.")
    seconds = _timed(console, raising.up, MOST_UP_SECONDS)
    nodes = known_nodes(system)
    if len(nodes) != 3:  # noqa: PLR2004 - one of each class
        raise DemoError(f"Inventory knows {nodes} after all stacks are up")
    console.print(f"Inventory was told of {', '.join(nodes)} ({seconds:.1f} s).")


def nothing_changes(console: Console, raising: Raising) -> None:
    """Look at every stack: none may want to change anything."""
    changed: list[str] = []

    def look() -> list[Done]:
        done = raising.preview()
        changed.extend(f"{item.kind}: {item.changed}" for item in done if item.changed)
        return done

    _timed(console, look, MOST_PREVIEW_SECONDS)
    if changed:
        raise DemoError(f"an unchanged stack would change: {'; '.join(changed)}")
    console.print("`pulumi preview` sees no change on any stack.")


def refuse_to_destroy(console: Console, raising: Raising, orders: Sequence[Placed]) -> None:
    """Try to destroy the nodes under the customers: refused, with their list, before anything is harmed."""
    try:
        raising.run(PlatformKind.NODES, "destroy", "--yes", "--skip-preview", "--suppress-progress")
    except RaisingError as error:
        missing = [order.name for order in orders if order.name not in str(error)]
        if missing:
            raise DemoError(f"the refusal does not name {missing}: {error}") from error
        console.print(
            f"`pulumi destroy` of the nodes is refused: {', '.join(order.name for order in orders)} are there."
        )
        return
    raise DemoError("nodes with customers on them were destroyed")


def take_down(console: Console, raising: Raising, truth: Truth) -> None:
    """Destroy every stack and look what is left."""
    _timed(console, raising.destroy)
    left = leftovers(truth)
    if left:
        raise DemoError(f"this is left after all stacks are destroyed: {left}")
    console.print("Nothing is left at Hetzner Cloud, Robot, Cloudflare, on the nodes or on the backup server.")


def _timed(console: Console, act: Callable[[], list[Done]], most: float | None = None) -> float:
    began = time.monotonic()
    done = act()
    seconds = time.monotonic() - began
    shown = table("STACK", "RESOURCES", "SECONDS")
    for item in done:
        row(
            shown,
            item.kind,
            ", ".join(f"{count} {name}" for name, count in item.changes.items()),
            f"{item.seconds:.1f}",
        )
    row(shown, "all, side by side", "", f"{seconds:.1f}" + (f" (at most {most})" if most is not None else ""))
    console.print(shown)
    return seconds


def _tell(console: Console, done: Done) -> None:
    console.print(f"  {done.kind}: {done.seconds:.1f} s", style="dim")
