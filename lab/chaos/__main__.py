"""Runs chaos: ``python -m lab.chaos``."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from lab.chaos.faults import FAULTS, thaw
from lab.chaos.load import Load
from lab.chaos.report import ChaosReport
from lab.chaos.rig import Rig, start_rig
from lab.chaos.watch import Watch, until

_FAULT_SECONDS = 20.0
_CHECK_SECONDS = 10.0
_PATIENCE_SECONDS = 240.0
_UNSETTLED = """
    SELECT 'operation ' || id || ': ' || kind || ' ' || status || ', attempt ' || attempts FROM operations
    WHERE status IN ('queued', 'running', 'awaiting_approval')
    UNION ALL SELECT 'event ' || id || ' is not applied' FROM stripe_events WHERE processed_at IS NULL
    UNION ALL SELECT 'order ' || order_id || ' is owed a refund' FROM refunds WHERE done_at IS NULL
    UNION ALL SELECT 'order ' || id || ' is ' || status FROM orders WHERE status IN ('paid', 'refund_due')
"""


def main() -> int:
    """Run for so many minutes, let everything settle, report; returns 1 if anything was broken."""
    parser = argparse.ArgumentParser(
        prog="slipway chaos",
        description="Break a whole system of its own for a while, and see whether it loses anything.",
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="how long faults happen (default 5)")
    parser.add_argument("--every", type=float, default=_FAULT_SECONDS, help="seconds between faults (default 20)")
    parser.add_argument(
        "--seed", type=int, default=None, help="chooses faults and load; printed, so it can be repeated"
    )
    parser.add_argument("--json", type=Path, default=Path("build/chaos.json"), help="where the report goes")
    options = parser.parse_args()
    if options.minutes <= 0 or options.every <= 0:
        parser.error("--minutes and --every: must be more than 0")
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    console = Console(highlight=False)
    console.print(f"Seed {seed}")
    report = ChaosReport(seed, options.minutes)
    with (
        tempfile.TemporaryDirectory(prefix="slipway-chaos-") as folder,
        start_rig(Path(folder), lambda step: console.print(f"  {step}")) as rig,
    ):
        _run(console, rig, report, options.every)
    report.print(console)
    report.write(options.json)
    console.print(f"Written to {options.json}.")
    return int(not report.is_well)


def _run(console: Console, rig: Rig, report: ChaosReport, every: float) -> None:
    load = Load(rig, random.Random(report.seed))  # noqa: S311 - a seed that can be repeated is the point
    watch = Watch(rig, _CHECK_SECONDS)
    load.start()
    watch.start()
    try:
        _break(console, rig, report, every)
        load.close_shop()
        console.print("Letting everything settle")
        _settle(rig, report)
    finally:
        watch.stop()
        load.stop()
    report.violations_left = watch.look()
    report.asked, report.refused = load.done, load.refused
    report.checks, report.blind_checks, report.violations = watch.checks, watch.blind, watch.violations
    _count(rig, report)


def _break(console: Console, rig: Rig, report: ChaosReport, every: float) -> None:
    """Inject a fault at each beat until the time is over."""
    chance = random.Random(report.seed + 1)  # noqa: S311 - see above
    began = time.monotonic()
    for number, name in enumerate(in_turn(chance), start=1):
        beat = began + number * every
        if beat > began + report.minutes * 60:
            return
        time.sleep(max(0.0, beat - time.monotonic()))
        hit = FAULTS[name](rig, chance)
        (report.injected if hit else report.missed)[name] += 1
        console.print(f"  {time.monotonic() - began:5.0f} s  {name}{'' if hit else ' (found nothing to harm)'}")


def in_turn(chance: random.Random) -> Iterator[str]:
    """Every kind once in a random order, then again in another."""
    while True:
        names = list(FAULTS)
        chance.shuffle(names)
        yield from names


def _settle(rig: Rig, report: ChaosReport) -> None:
    thaw(rig)
    began = time.monotonic()
    until(lambda: not rig.rows(_UNSETTLED), _PATIENCE_SECONDS, time.sleep)
    report.settled_after_seconds = round(time.monotonic() - began, 1)
    report.unsettled = [str(row[0]) for row in rig.rows(_UNSETTLED)]


def _count(rig: Rig, report: ChaosReport) -> None:
    report.operations = dict(rig.rows("SELECT kind || ' ' || status, count(*) FROM operations GROUP BY 1"))
    report.orders = dict(rig.rows("SELECT status, count(*) FROM orders GROUP BY 1"))
    report.workloads = dict(rig.rows("SELECT status, count(*) FROM workloads GROUP BY 1"))
    report.recovered = rig.rows("SELECT count(*) FROM operation_events WHERE kind = 'recover'")[0][0]


if __name__ == "__main__":
    sys.exit(main())
