"""Shows several workloads coming up, or going, at once."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from automation.cli.output import status, table
from lab.customer import Customer

DEADLINE_SECONDS = 180.0
_REDRAW_SECONDS = 0.1
_PAUSE_SECONDS = 0.5


class DemoError(Exception):
    """Something did not happen as the demo says it does."""


@dataclass
class Placed:
    """An order of the demo; times are seconds of the monotonic clock."""

    name: str
    order_id: str
    workload_id: str
    paid_at: float = 0.0
    ready_at: float = 0.0
    cancelled_at: float = 0.0
    gone_at: float = 0.0
    status: str = ""
    done: int = 0
    last_line: str = ""


def watch(console: Console, customer: Customer, orders: Sequence[Placed], until: str) -> None:
    """Follow the orders, each by its live event stream, until each workload has the status ``until``.

    Raises:
        DemoError: if one needs attention, is deleted unasked, or the deadline passes.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    with ThreadPoolExecutor(max_workers=len(orders)) as threads:
        followers = [threads.submit(_follow, customer, order, until, deadline) for order in orders]
        with Live(_picture(orders, until), console=console, refresh_per_second=8) as live:
            while not all(follower.done() for follower in followers):
                live.update(_picture(orders, until))
                time.sleep(_REDRAW_SECONDS)
            live.update(_picture(orders, until))
    console.print()
    for follower in followers:
        follower.result()


def _follow(customer: Customer, order: Placed, until: str, deadline: float) -> None:
    while time.monotonic() < deadline:
        order.status = customer.workload(order.workload_id)["status"]
        if order.status == until:
            return
        if order.status == "needs_attention" or (order.status == "deleted" and until != "deleted"):
            raise DemoError(f"{order.name} is {order.status}: {order.last_line}")
        newest = customer.client.get(f"/workloads/{order.workload_id}/operations", limit=1)["items"]
        if newest and newest[0]["status"] in {"queued", "running"}:
            _read_log(customer, order, newest[0]["id"], until)
        else:
            time.sleep(_PAUSE_SECONDS)
    raise DemoError(f"{order.name} was not {until} after {DEADLINE_SECONDS:.0f} s")


def _read_log(customer: Customer, order: Placed, operation_id: str, until: str) -> None:
    for kind, document in customer.client.events(operation_id, follow=True):
        now = time.monotonic()
        if kind == "line":
            order.last_line = document["message"]
            order.done += document["kind"] == "resource" and document["data"].get("status") == "done"
            order.status = order.status if order.status != "queued" else "provisioning"
        elif until == "running":
            order.ready_at = now
        else:
            order.gone_at = now


def _picture(orders: Sequence[Placed], until: str) -> Table:
    shown = table("", "WORKLOAD", "STATUS", "STEPS", "LAST STEP")
    for order in orders:
        mark: Spinner | str = "[green]✔[/]" if order.status == until else Spinner("dots")
        shown.add_row(mark, order.name, status(order.status), str(order.done), escape(order.last_line))
    return shown
