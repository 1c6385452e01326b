"""``slipway bench recovery``: from SIGKILL in the midst of an order to the guest running, in lengths of the lease."""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
from rich.console import Console
from sqlalchemy import text

from api.db.session import Database, connect
from automation.embedded.system import EmbeddedSystem, SystemOptions
from lab.bench.figures import Figure, at_most, shown, spread
from lab.bench.orders import OrderBench
from lab.document import LabDocument
from lab.faults.client import LabControl

_LEASE_SECONDS = 10.0
_SETTINGS = {
    "SLIPWAY_LEASE_SECONDS": f"{_LEASE_SECONDS:g}",
    "SLIPWAY_SWEEP_SECONDS": f"{_LEASE_SECONDS / 3:g}",
    "SLIPWAY_RETRY_BASE_SECONDS": f"{_LEASE_SECONDS / 6:g}",
    "SLIPWAY_REQUESTS_PER_MINUTE": "100000",
}
"""A third of production's lease, and the sweep and the first retry in the same proportion to it."""
_TASK_SECONDS = 1.0
_MOST_RUNS = 5
_PATIENCE_SECONDS = 60.0
_AT_WORK = text(
    """
    SELECT o.lease_owner, o.engine -> 'process' ->> 'pid' FROM operations o
    WHERE o.workload_id = :id AND o.status = 'running' AND EXISTS (
        SELECT 1 FROM operation_events e WHERE e.operation_id = o.id AND e.kind = 'resource'
    )
    """
)


def measure_recovery(console: Console, orders: int) -> list[Figure]:
    """Kill a worker, then an engine, in the midst of an order, up to five times each; blocks for minutes."""
    runs = min(_MOST_RUNS, orders)
    options = SystemOptions(lab_options=("--nodes=cloud=1", "--pool-size=60"), workers=2)
    with (
        tempfile.TemporaryDirectory(prefix="slipway-recovery-") as folder,
        EmbeddedSystem(Path(folder), options, environment=_SETTINGS) as system,
        closing(connect(system.settings["DATABASE_URL"])) as database,
    ):
        if system.lab_document is None:
            raise RuntimeError("the benchmark needs the lab")
        document = LabDocument.load(system.lab_document)
        with closing(OrderBench(system, document)) as bench, LabControl(document) as lab:
            bench.deliver(1)
            lab.proxmox.set_task_delay(_TASK_SECONDS)
            figures = [shown("Recovery: length of the lease", _LEASE_SECONDS, "s", "the sweep comes three times in it")]
            for name, kill in (("worker", _kill_worker), ("engine", _kill_engine)):
                console.print(f"Killing the {name} in the midst of {runs} orders")
                seconds = [_recover(bench, database, kill) for _ in range(runs)]
                ratio = statistics.median(seconds) / _LEASE_SECONDS
                figures.append(at_most(f"Recovery: {name} killed", ratio, "leases", 2.0, spread(seconds, "s")))
    return figures


def _recover(bench: OrderBench, database: Database, kill: Callable[[str, int], None]) -> float:
    """Return the seconds from the kill to the guest running."""
    workload_id = bench.order()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with database.transaction() as transaction:
            row = transaction.session.execute(_AT_WORK, {"id": workload_id}).one_or_none()
        if row is not None and row[1] is not None:
            kill(str(row[0]), int(row[1]))
            killed_at = time.monotonic()
            bench.await_running(workload_id)
            return time.monotonic() - killed_at
        time.sleep(0.02)
    raise RuntimeError(f"no engine was at work after {_PATIENCE_SECONDS:.0f} s")


def _kill_worker(owner: str, _engine: int) -> None:
    os.kill(int(owner.rpartition(":")[2]), signal.SIGKILL)


def _kill_engine(_owner: str, engine: int) -> None:
    """Kill the engine's child with its CLI and plugins, as the kernel does when memory runs out."""
    root = psutil.Process(engine)
    for process in [root, *root.children(recursive=True)]:
        process.kill()
