"""A measured figure, beside its target."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from automation.cli.output import table


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        target: in words, such as ``at most 2.0``; empty where the number is only shown.
        is_met: None where there is no target.
        note: how it was measured, in a few words.
    """

    name: str
    value: float
    unit: str
    target: str = ""
    is_met: bool | None = None
    note: str = ""


def at_most(name: str, value: float, unit: str, limit: float, note: str = "") -> Figure:
    """Return a figure that should not exceed ``limit``."""
    return Figure(name, round(value, 3), unit, f"at most {limit:g}", value <= limit, note)


def at_least(name: str, value: float, unit: str, limit: float, note: str = "") -> Figure:
    """Return a figure that should reach ``limit``."""
    return Figure(name, round(value, 3), unit, f"at least {limit:g}", value >= limit, note)


def shown(name: str, value: float, unit: str, note: str = "") -> Figure:
    """Return a figure without a target."""
    return Figure(name, round(value, 3), unit, note=note)


def spread(values: Sequence[float], unit: str) -> str:
    """Say how many values there are and how far they lie apart."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return (
        f"{len(ordered)} runs: min {ordered[0]:.2f}, median {statistics.median(ordered):.2f}, "
        f"p95 {p95:.2f}, max {ordered[-1]:.2f} {unit}"
    )


def print_figures(console: Console, figures: Sequence[Figure]) -> None:
    """Print a table of figures."""
    made = table("FIGURE", "VALUE", "TARGET", "", "HOW")
    for figure in figures:
        verdict = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[figure.is_met]
        made.add_row(figure.name, f"{figure.value:g} {figure.unit}", figure.target, verdict, figure.note)
    console.print(made)


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """Write figures with the machine and the versions they were measured on."""
    packages = ("pulumi", "pulumi-proxmoxve", "pulumi-cloudflare", "celery", "sqlalchemy", "fastapi", "fakepve")
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()},
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "figures": [asdict(figure) for figure in figures],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
