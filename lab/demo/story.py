"""The demo's scenes. Each checks what it shows and raises ``DemoError`` where the world says otherwise."""

import statistics
import time
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console

from automation.cli.output import money, row, table
from lab.customer import Customer, Wish, pay
from lab.demo.progress import DemoError, Placed, watch
from lab.truth import Truth

__all__ = ["DemoError", "cancel_and_check", "compare_with_nodes", "order_and_pay", "show_timings"]


def order_and_pay(console: Console, customer: Customer, wishes: Sequence[Wish]) -> list[Placed]:
    """Place the orders, then pay them all."""
    orders: list[Placed] = []
    pages: list[str] = []
    for wish in wishes:
        quote = customer.quote(wish)
        order = customer.order(wish)
        price = money(quote["price_cents"], quote["currency"])
        console.print(f"  [bold]{wish.name}[/]: {quote['description']}, {price} a month")
        if quote["plan"] is None:
            raise DemoError(f"the quote for '{wish.name}' has no plan: {quote['error']}")
        console.print(f"    {quote['plan']}", style="dim", highlight=False)
        orders.append(Placed(wish.name, order["id"], order["workload_id"]))
        pages.append(order["checkout_url"])
    for placed, page in zip(orders, pages, strict=True):
        pay(page)
        placed.paid_at = time.monotonic()
    return orders


def compare_with_nodes(console: Console, customer: Customer, orders: Sequence[Placed], truth: Truth) -> None:
    """Read the guests back from their nodes, and the names from the DNS."""
    guests = {guest.name: guest for guest in truth.guests()}
    records = truth.records()
    shown = table("GUEST", "NODE", "VMID", "KIND", "IPV4", "DNS NAME")
    for order in orders:
        workload = customer.workload(order.workload_id)
        guest = guests.get(order.name)
        if guest is None or guest.status != "running" or f"order-{order.order_id}" not in guest.tags:
            raise DemoError(f"no node runs a guest '{order.name}' with the order's tag")
        if records.get((workload["fqdn"], "A")) != [workload["ipv4"]]:
            raise DemoError(f"{workload['fqdn']} does not lead to {workload['ipv4']}")
        if records.get((workload["fqdn"], "AAAA")) != [workload["ipv6"]]:
            raise DemoError(f"{workload['fqdn']} does not lead to {workload['ipv6']}")
        options = truth.firewall(guest)["options"]
        if any(str(options.get(name)) != "1" for name in ("enable", "macfilter", "ipfilter")):
            raise DemoError(f"the firewall of '{order.name}' is off")
        row(
            shown,
            order.name,
            guest.node,
            guest.vmid,
            guest.kind,
            workload["ipv4"],
            workload["fqdn"],
        )
    console.print(shown)
    console.print("Each carries its order's tag; its firewall is on, with address and MAC filter.")


def cancel_and_check(console: Console, customer: Customer, orders: Sequence[Placed], truth: Truth) -> None:
    """Cancel workloads, and look whether guest, addresses and DNS records are gone."""
    before = {order.name: customer.workload(order.workload_id) for order in orders}
    for order in orders:
        customer.client.post(f"/workloads/{order.workload_id}/cancel")
        order.cancelled_at, order.status, order.done = time.monotonic(), "", 0
    watch(console, customer, orders, until="deleted")
    names = {guest.name for guest in truth.guests()}
    configured = " ".join(str(guest.config) for guest in truth.guests())
    records = truth.records()
    for name, workload in before.items():
        if name in names:
            raise DemoError(f"guest '{name}' is still there")
        if workload["ipv4"] in configured.replace("/", " ").replace(",", " ").split():
            raise DemoError(f"address {workload['ipv4']} of '{name}' is still configured on a guest")
        if any(fqdn == workload["fqdn"] for fqdn, _ in records):
            raise DemoError(f"DNS name {workload['fqdn']} is still there")
        console.print(f"  {name}: guest gone, {workload['ipv4']} no longer in use, {workload['fqdn']} gone")


def show_timings(console: Console, customer: Customer, orders: Sequence[Placed]) -> None:
    """Print how long everything took."""
    shown = table("WORKLOAD", "PAID TO RUNNING", "ENGINE AND VERIFICATION", "CANCEL TO GONE")
    engine = []
    for order in orders:
        operations = customer.client.get(f"/workloads/{order.workload_id}/operations")["items"]
        made = operations[-1]
        engine.append(_seconds_between(made["started_at"], made["finished_at"]))
        gone = f"{order.gone_at - order.cancelled_at:.1f} s" if order.gone_at else "-"
        row(shown, order.name, f"{order.ready_at - order.paid_at:.1f} s", f"{engine[-1]:.1f} s", gone)
    waits = [order.ready_at - order.paid_at for order in orders]
    row(shown, "median", f"{statistics.median(waits):.1f} s", f"{statistics.median(engine):.1f} s", "")
    console.print(shown)
    console.print("All six were paid at once and two workers made them: later ones waited for a free worker.")


def _seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
