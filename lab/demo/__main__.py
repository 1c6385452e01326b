"""Runs the demo: ``python -m lab.demo``."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from automation.embedded.system import EmbeddedSystem, SystemOptions
from lab.customer import Customer, Wish, sign_up
from lab.demo.estate import estate_of, nothing_changes, raise_estate, refuse_to_destroy, take_down
from lab.demo.metal import MachineScenes, lab_options, machine_scenes
from lab.demo.progress import Placed, watch
from lab.demo.story import DemoError, cancel_and_check, compare_with_nodes, order_and_pay, show_timings
from lab.document import LabDocument
from lab.raising import Raising, RaisingError
from lab.truth import Truth

WISHES = (
    Wish("cloud-vm", "small", "debian-12", "web"),
    Wish("cloud-vm", "medium", "ubuntu-24.04", "database"),
    Wish("game-server", "medium", "minecraft-java", "craft"),
    Wish("game-server", "small", "source-engine", "fortress"),
    Wish("bot", "nano", "python-bot", "greeter"),
    Wish("bot", "micro", "node-bot", "moderator"),
)
CANCELLED = ("database", "greeter")


def main() -> int:
    """Tell the whole story; returns 0 only if every part of it was true."""
    console = Console(highlight=False)
    options = SystemOptions(lab_options=("--nodes=game=1,bot=1,cloud=1", *lab_options(console)), bare=True, workers=2)
    with tempfile.TemporaryDirectory(prefix="slipway-demo-") as folder:
        home = Path(folder)
        console.rule("Starting Slipway")
        with EmbeddedSystem(home, options, report=lambda step: console.print(f"  {step}")) as system:
            document = system.lab_document
            if document is None:
                raise DemoError("the demo needs the lab")
            truth = Truth(LabDocument.load(document))
            try:
                with estate_of(system, console) as raising, machine_scenes(console, system) as machines:
                    _tell(console, system, raising, truth, machines)
            except (DemoError, RaisingError) as error:
                console.print(f"[bold red]The demo failed:[/] {error}")
                return 1
            finally:
                truth.close()
    console.print("\n[bold green]All of it happened.[/] `slipway up` starts the same system to stay.")
    return 0


def _tell(
    console: Console, system: EmbeddedSystem, raising: Raising, truth: Truth, machines: MachineScenes | None
) -> None:
    console.rule("The provider's estate, by the pulumi CLI")
    raise_estate(console, raising, system)
    if machines is not None:
        machines.take_in(system)
    customer = sign_up(system.api_url)
    console.rule("Six orders, paid through Stripe's signed webhook")
    orders = order_and_pay(console, customer, WISHES)
    watch(console, customer, orders, until="running")
    console.rule("What the Proxmox nodes and the DNS say (proxmoxer, Cloudflare's SDK)")
    compare_with_nodes(console, customer, orders, truth)
    console.rule(f"Cancelling {' and '.join(CANCELLED)}")
    cancelled, kept = _parted(orders)
    cancel_and_check(console, customer, cancelled, truth)
    if machines is not None:
        _sell_a_machine(console, customer, machines, truth)
    console.rule("Timings")
    show_timings(console, customer, orders)
    console.rule("The estate with customers on it")
    nothing_changes(console, raising)
    refuse_to_destroy(console, raising, kept)
    console.rule("Taking all of it down")
    cancel_and_check(console, customer, kept, truth)
    if machines is not None:
        machines.retire(system)
    take_down(console, raising, truth)
    customer.client.__exit__()


def _sell_a_machine(console: Console, customer: Customer, machines: MachineScenes, truth: Truth) -> None:
    console.rule("A machine of one's own: PXE, installed, cancelled, wiped")
    order = machines.sell(customer)
    cancel_and_check(console, customer, [order], truth)
    machines.prove_wiped(order)


def _parted(orders: Sequence[Placed]) -> tuple[list[Placed], list[Placed]]:
    """The orders that are cancelled early, and the others."""
    return [o for o in orders if o.name in CANCELLED], [o for o in orders if o.name not in CANCELLED]


if __name__ == "__main__":
    sys.exit(main())
