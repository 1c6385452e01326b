"""What there is of the toolchain, where it came from, and what to do where something is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from automation.toolchain.find import THREE_WAYS, ToolchainMissingError, find_toolchain
from automation.toolchain.go import find_go
from automation.toolchain.layout import Layout
from automation.toolchain.manifest import read_manifest
from automation.toolchain.parts import PARTS, Origin, Part

ORIGINS: dict[Origin, str] = {"path": "installed", "download": "downloaded", "build": "built here"}


@dataclass(frozen=True, slots=True)
class PartReport:
    """One part.

    Attributes:
        name: the executable's name.
        wanted: the version needed.
        part: what was found; ``None`` if it is missing or no longer what was recorded.
    """

    name: str
    wanted: str
    part: Part | None


@dataclass(frozen=True, slots=True)
class ToolchainReport:
    """The whole toolchain.

    Attributes:
        parts: every part, found or not.
        complete: whether the engine can run.
        remedy: what to do, empty if nothing.
        folder: where built and downloaded parts are kept.
        go: the Go compiler, needed only to build.
    """

    parts: tuple[PartReport, ...]
    complete: bool
    remedy: str
    folder: Path
    go: Path | None


def report(layout: Layout | None = None, *, compiler: Callable[[], Path | None] = find_go) -> ToolchainReport:
    """Look at the toolchain; starts no process, makes nothing."""
    layout = layout or Layout.of_this_process()
    recorded = read_manifest(layout.manifest)
    try:
        find_toolchain(layout)
        remedy = ""
    except ToolchainMissingError as error:
        remedy = str(error)
        recorded = {name: part for name, part in recorded.items() if name not in error.missing}
    go = compiler()
    if remedy and go is not None:
        remedy = f"Run `python -m automation.toolchain`: Go is there, so whatever is missing can be built. {THREE_WAYS}"
    parts = tuple(PartReport(spec.name, spec.version, recorded.get(spec.name)) for spec in PARTS)
    return ToolchainReport(parts, not remedy, remedy, layout.root, go)


def print_report(found: ToolchainReport, console: Console | None = None) -> None:
    """Show the report as a table, with the remedy below it."""
    console = console or Console()
    table = Table(title="Pulumi toolchain", title_justify="left")
    for heading in ("part", "version", "from", "where"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "where")
    for row in found.parts:
        if row.part is None:
            table.add_row(row.name, row.wanted, "[red]missing[/]", "")
        else:
            table.add_row(row.name, row.part.version, ORIGINS[row.part.origin], _place(row.part.path, found.folder))
    console.print(table)
    console.print(f"… is {found.folder}", soft_wrap=True)
    console.print(f"Go (only to build): {found.go or 'not found'}", soft_wrap=True)
    if found.remedy:
        console.print(found.remedy, soft_wrap=True, markup=False)


def _place(path: Path, folder: Path) -> str:
    """The path, short where it is below the toolchain's own folder."""
    return f"…/{path.relative_to(folder)}" if path.is_relative_to(folder) else str(path)
