"""``slipway bench growth``: what one order costs among ever more stacks, and on a stack with ever more past."""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from rich.console import Console

from api.db.session import connect
from automation.cli.output import table
from automation.embedded.system import EmbeddedSystem, SystemOptions
from lab.bench.crowd import Crowd, Model
from lab.bench.figures import Figure, at_most, shown
from lab.bench.orders import Delivered, OrderBench
from lab.document import LabDocument

_STACKS = (10, 100, 1000, 5000)
_PASTS = (1, 100)
_LIMIT = 1.2
_FLUSH_SECONDS = 1.5
"""PostgreSQL's backends report what they did at most once a second."""
_QUIET = {
    "SLIPWAY_SWEEP_SECONDS": "60",
    "SLIPWAY_RECONCILE_SECONDS": "3600",
    "SLIPWAY_DRIFT_TICK_SECONDS": "86400",
    "SLIPWAY_ORPHAN_SWEEP_SECONDS": "86400",
    "SLIPWAY_STATE_PRUNE_SECONDS": "86400",
    "SLIPWAY_REQUESTS_PER_MINUTE": "100000",
}
"""What runs by the clock is measured elsewhere; it would only be noise here."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one order, or one change, took.

    Attributes:
        transactions: in both databases together.
        rows: that both databases have read for it.
    """

    seconds: float
    cpu_seconds: float
    transactions: float
    rows: float


def measure_growth(console: Console, orders: int) -> list[Figure]:
    """Measure ``orders`` orders at each size; blocks for some minutes."""
    settings = SystemOptions(lab_options=("--nodes=cloud=1", "--pool-size=120"), workers=1)
    with (
        tempfile.TemporaryDirectory(prefix="slipway-growth-") as folder,
        EmbeddedSystem(Path(folder), settings, environment=_QUIET) as system,
        closing(connect(system.settings["DATABASE_URL"])) as database,
    ):
        if system.lab_document is None:
            raise RuntimeError("the benchmark needs the lab")
        with closing(OrderBench(system, LabDocument.load(system.lab_document))) as bench:
            urls = (system.settings["DATABASE_URL"], system.settings["SLIPWAY_STATE_DATABASE_URL"])
            meter = Meter(urls)
            bench.deliver(2)
            kept = bench.keep()
            with database.transaction() as transaction:
                row = transaction.session.connection().exec_driver_sql(
                    "SELECT order_id, id, stack FROM workloads WHERE id = %s", (str(kept),)
                )
                model = Model(*row.one())
            crowd = Crowd(database, urls[1], model)
            among: dict[int, Cost] = {}
            for size in _STACKS:
                console.print(f"Growing to {size} stacks")
                crowd.grow_to(size)
                console.print(f"Measuring {orders} orders")
                among[size] = meter.measure(lambda: bench.deliver(orders))
            past: dict[int, Cost] = {}
            for size in _PASTS:
                if size > 1:
                    crowd.grow_past_of(model.workload_id, model.stack, size - len(past) * 2 * orders)
                console.print(f"Measuring {2 * orders} changes of a stack with {size} past operations")
                past[size] = meter.measure(lambda: _toggle(bench, kept, orders))
    _print(console, "stacks", among)
    _print(console, "past operations", past)
    return [*_figures("one order among stacks", among), *_figures("one change after past operations", past)]


def _toggle(bench: OrderBench, workload_id: UUID, times: int) -> list[Delivered]:
    return [bench.power(workload_id, verb) for _ in range(times) for verb in ("stop", "start")]


class Meter:
    """Reads both databases' own counters around what is measured."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Read of the databases behind ``urls``."""
        self._urls = urls

    def measure(self, work: Callable[[], Sequence[Delivered]]) -> Cost:
        """Do something several times; returns the median's time and the mean of what was read."""
        before = self._read()
        done = work()
        transactions, rows = (after - first for after, first in zip(self._read(), before, strict=True))
        return Cost(
            statistics.median(item.seconds for item in done),
            statistics.median(item.cpu_seconds for item in done),
            transactions / len(done),
            rows / len(done),
        )

    def _read(self) -> tuple[int, int]:
        time.sleep(_FLUSH_SECONDS)
        transactions = rows = 0
        for url in self._urls:
            with psycopg.connect(url) as connection:
                found = connection.execute(
                    "SELECT xact_commit, tup_returned FROM pg_stat_database WHERE datname = current_database()"
                ).fetchone()
            if found is not None:
                transactions, rows = transactions + found[0], rows + found[1]
        return transactions, rows


def _print(console: Console, word: str, costs: dict[int, Cost]) -> None:
    made = table(word.upper(), "SECONDS", "", "ENGINE CPU", "", "TRANSACTIONS", "", "ROWS READ", "")
    first = next(iter(costs.values()))
    for size, cost in costs.items():
        cells = []
        for name in ("seconds", "cpu_seconds", "transactions", "rows"):
            value, least = getattr(cost, name), getattr(first, name)
            cells += [f"{value:.2f}" if value < _LIMIT * 10 else f"{value:.0f}", f"{value / least:.2f}x"]
        made.add_row(str(size), *cells)
    console.print(made)


def _figures(what: str, costs: dict[int, Cost]) -> list[Figure]:
    """Hold the dearest size against the cheapest: a cost that grows and one that only jumps both show."""
    words = {"seconds": "seconds", "cpu_seconds": "engine's CPU", "transactions": "transactions"}
    figures = []
    for name, word in words.items():
        ratio, note = _spread_of(name, costs)
        figures.append(at_most(f"Growth: {what}, {word}", ratio, "times", _LIMIT, note))
    ratio, note = _spread_of("rows", costs)
    return [*figures, shown(f"Growth: {what}, rows read", ratio, "times", note)]


def _spread_of(name: str, costs: dict[int, Cost]) -> tuple[float, str]:
    values = {size: float(getattr(cost, name)) for size, cost in costs.items()}
    most, least = max(values, key=values.__getitem__), min(values, key=values.__getitem__)
    return values[most] / values[least], f"dearest at {most}, cheapest at {least}"
