"""From a paid webhook to a running, verified guest: what Slipway adds to the node's own time."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from api.db.session import Database, connect
from automation.embedded.system import EmbeddedSystem
from lab.bench.direct import make_virtual_machine, remove_virtual_machine
from lab.bench.figures import Figure, at_most, shown, spread
from lab.customer import Customer, Wish, pay, sign_up
from lab.document import LabDocument
from lab.faults.client import LabControl
from lab.truth import Truth

_TEMPLATE = 9000
_PATIENCE_SECONDS = 600.0
_MEASURED = text(
    """
    SELECT extract(epoch FROM r.created_at - e.received_at) AS seconds, o.pulumi_processes, o.cpu_seconds, o.attempts
    FROM workloads w
    JOIN operations o ON o.workload_id = w.id AND o.kind = 'apply'
    JOIN status_changes r ON r.workload_id = w.id AND r.to_status = 'running'
    JOIN stripe_events e ON e.type = 'checkout.session.completed'
         AND e.payload -> 'data' -> 'object' ->> 'client_reference_id' = w.order_id::text
    WHERE w.id = ANY(:ids)
    """
)
_NEWEST = text(
    """
    SELECT extract(epoch FROM finished_at - created_at), pulumi_processes, cpu_seconds, attempts
    FROM operations WHERE workload_id = :id AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1
    """
)


@dataclass(frozen=True)
class Delivered:
    """One order, by the database's own clock: webhook stored to workload running."""

    seconds: float
    pulumi_processes: int
    cpu_seconds: float
    attempts: int


class OrderBench:
    """Measures on a running system with one lab."""

    def __init__(self, system: EmbeddedSystem, document: LabDocument) -> None:
        self._document = document
        self._customer: Customer = sign_up(system.api_url)
        self._database: Database = connect(system.settings["DATABASE_URL"])
        self._control = LabControl(document)
        self._truth = Truth(document)
        self._names = iter(range(1, 100_000))
        self._vmids = iter(range(1000, 9000))

    def close(self) -> None:
        """Close all connections."""
        self._database.close()
        self._control.close()
        self._truth.close()

    def deliver(self, orders: int) -> list[Delivered]:
        """Deliver orders one after another and take them away again."""
        return [delivered for _ in range(orders) for delivered in self._deliver(1, together=1)]

    def order(self) -> UUID:
        """Order and pay; returns the workload's id."""
        return UUID(self._order())

    def await_running(self, workload_id: UUID) -> None:
        """Wait until a workload runs."""
        self._await_running([str(workload_id)])

    def keep(self) -> UUID:
        """Deliver an order that stays; returns its workload's id."""
        workload_id = self.order()
        self.await_running(workload_id)
        return workload_id

    def power(self, workload_id: UUID, verb: str) -> Delivered:
        """Start or stop a workload, and wait until it is done."""
        self._customer.client.post(f"/workloads/{workload_id}/{verb}")
        self._await([str(workload_id)], "running" if verb == "start" else "stopped")
        with self._database.transaction() as transaction:
            row = transaction.session.execute(_NEWEST, {"id": workload_id}).one()
        return Delivered(float(row[0]), int(row[1]), float(row[2]), int(row[3]))

    def without_delay(self, orders: int) -> list[Figure]:
        """Measure orders one after another, the floor in between, on nodes that answer at once."""
        self._deliver(2, together=1)
        self._floor(2, together=1)
        delivered: list[Delivered] = []
        floor: list[float] = []
        for _ in range(orders):
            delivered += self._deliver(1, together=1)
            floor += self._floor(1, together=1)
        overheads = [order.seconds - direct for order, direct in zip(delivered, floor, strict=True)]
        seconds = [order.seconds for order in delivered]
        return [
            at_most(
                "order to running, overhead over a bare proxmoxer script",
                statistics.median(overheads),
                "s",
                2.0,
                spread(overheads, "s"),
            ),
            shown("order to running", statistics.median(seconds), "s", spread(seconds, "s")),
            shown("bare proxmoxer script", statistics.median(floor), "s", spread(floor, "s")),
            at_most("pulumi processes an order", max(order.pulumi_processes for order in delivered), "", 3, "counted"),
            shown(
                "engine's CPU an order",
                statistics.median(order.cpu_seconds for order in delivered),
                "s",
                "child, CLI and plugins",
            ),
        ]

    def with_delay(self, orders: int, task_seconds: float, together: int) -> list[Figure]:
        """Measure orders on nodes whose every task takes ``task_seconds``, ``together`` at a time."""
        self._control.proxmox.set_task_delay(task_seconds)
        try:
            delivered = self._deliver(orders, together)
            floor = self._floor(orders, together)
        finally:
            self._control.proxmox.set_task_delay(0)
        ratio = statistics.median(order.seconds for order in delivered) / statistics.median(floor)
        note = f"{spread([order.seconds for order in delivered], 's')}; floor {spread(floor, 's')}"
        return [
            at_most(f"order to running with {task_seconds:g} s tasks, against the script", ratio, "times", 1.15, note)
        ]

    def _deliver(self, count: int, together: int) -> list[Delivered]:
        ids: list[str] = []
        for start in range(0, count, together):
            batch = [self._order() for _ in range(min(together, count - start))]
            self._await_running(batch)
            ids += batch
        with self._database.transaction() as transaction:
            rows = transaction.session.execute(_MEASURED, {"ids": [UUID(item) for item in ids]}).all()
        if len(rows) != count:
            raise RuntimeError(f"{count} orders were placed, {len(rows)} were measured")
        self._cancel(ids)
        return [Delivered(float(row[0]), int(row[1]), float(row[2]), int(row[3])) for row in rows]

    def _order(self) -> str:
        order = self._customer.order(Wish("cloud-vm", "small", "debian-12", f"bench-{next(self._names)}"))
        pay(order["checkout_url"])
        return str(order["workload_id"])

    def _await_running(self, ids: Sequence[str]) -> None:
        self._await(ids, "running")

    def _await(self, ids: Sequence[str], status: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        query = text("SELECT count(*) FROM workloads WHERE id = ANY(:ids) AND status = :status")
        while time.monotonic() < deadline:
            with self._database.transaction() as transaction:
                values = {"ids": [UUID(item) for item in ids], "status": status}
                if transaction.session.execute(query, values).scalar_one() == len(ids):
                    return
            time.sleep(0.1)
        raise RuntimeError(f"not all of {len(ids)} workloads were {status} after {_PATIENCE_SECONDS:.0f} s")

    def _cancel(self, ids: Sequence[str]) -> None:
        for workload_id in ids:
            self._customer.client.post(f"/workloads/{workload_id}/cancel")
        self._await(ids, "deleted")

    def _floor(self, count: int, together: int) -> list[float]:
        nodes = [node for node in self._document.proxmox.nodes if node.workload_class == "cloud"]
        jobs = [(nodes[index % len(nodes)].name, next(self._vmids)) for index in range(count)]
        with ThreadPoolExecutor(max_workers=together) as threads:
            seconds = list(threads.map(lambda job: self._make(*job), jobs))
            list(threads.map(lambda job: remove_virtual_machine(self._truth.node(job[0]), *job), jobs))
        return seconds

    def _make(self, node: str, vmid: int) -> float:
        return make_virtual_machine(self._truth.node(node), node, _TEMPLATE, vmid)
