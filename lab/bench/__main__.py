"""``slipway bench``: prints a table, writes a JSON file."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from rich.console import Console

from automation.embedded.system import EmbeddedSystem, SystemOptions
from lab.bench.boot_files import measure_boot
from lab.bench.drift import measure_drift
from lab.bench.engine import measure_engine
from lab.bench.estate import measure_estate
from lab.bench.figures import Figure, print_figures, write_json
from lab.bench.fleet import measure_fleet
from lab.bench.growth import measure_growth
from lab.bench.metal import measure_metal
from lab.bench.orders import OrderBench
from lab.bench.quotes import measure_quotes
from lab.bench.recovery import measure_recovery
from lab.bench.webhooks import measure_ingest
from lab.document import LabDocument

_PARTS: Mapping[str, Callable[[Console, int], list[Figure]]] = MappingProxyType(
    {
        "growth": measure_growth,
        "recovery": measure_recovery,
        "quotes": measure_quotes,
        "estate": measure_estate,
        "boot": measure_boot,
        "metal": measure_metal,
    }
)
"""What can be measured alone; all take minutes, and are no part of "all"."""
_FLEET = "fleet"
_TOGETHER = 10
_TASK_SECONDS = 20.0


def main() -> int:
    """Run the benchmarks; returns 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="slipway bench", description="Measure this machine; takes about ten minutes.")
    parser.add_argument(
        "part", nargs="?", default="all", choices=("all", *_PARTS, _FLEET), help="only this (default all)"
    )
    parser.add_argument("--orders", type=int, default=20, help="measured orders, after warm-up (default 20)")
    parser.add_argument("--events", type=int, default=3000, help="webhooks to send (default 3000)")
    parser.add_argument("--machines", type=int, default=1000, help="of a fleet (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="of what goes wrong in a fleet (default 1)")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures go")
    parser.add_argument("--quick", action="store_true", help="leave out the orders on nodes with 20 s tasks")
    options = parser.parse_args()
    console = Console(highlight=False)
    figures = _figures(console, options)
    print_figures(console, figures)
    write_json(options.json, figures)
    console.print(f"Written to {options.json}.")
    return int(any(figure.is_met is False for figure in figures))


def _figures(console: Console, options: argparse.Namespace) -> list[Figure]:
    if options.part == _FLEET:
        return measure_fleet(console, options.machines, options.seed)
    part = _PARTS.get(options.part)
    return _measure(console, options) if part is None else part(console, options.orders)


def _measure(console: Console, options: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    settings = SystemOptions(lab_options=(f"--nodes=cloud={_TOGETHER}", "--pool-size=250"), workers=_TOGETHER)
    with (
        tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder,
        EmbeddedSystem(Path(folder), settings) as system,
    ):
        if system.lab_document is None:
            raise RuntimeError("the benchmarks need the lab")
        bench = OrderBench(system, LabDocument.load(system.lab_document))
        try:
            console.print(f"Measuring {options.orders} orders, one after another")
            figures += bench.without_delay(options.orders)
            if not options.quick:
                console.print(f"Measuring {options.orders} orders on nodes whose tasks take {_TASK_SECONDS:g} s")
                figures += bench.with_delay(options.orders, _TASK_SECONDS, _TOGETHER)
            console.print(f"Sending {options.events} webhooks")
            figures += measure_ingest(system, options.events)
        finally:
            bench.close()
    console.print("Measuring the drift scan's list pass")
    figures += measure_drift()
    console.print("Measuring the engine against the stock Automation API")
    return figures + measure_engine(options.orders)


if __name__ == "__main__":
    sys.exit(main())
