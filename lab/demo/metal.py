"""The demo's scenes about bare metal: a machine of QEMU's is taken in, sold, installed over the network, and wiped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from rich.console import Console
from sqlalchemy import select

from api.db.session import Database, connect
from api.machines.lifecycle import is_wiped
from api.machines.models import Deployment, DeploymentEvent, Machine, WipeReport
from automation.cli.output import row, table
from automation.embedded.metal import CLASS
from automation.embedded.system import EmbeddedSystem
from components.specs.machine import DeploymentKind, MachineState
from lab.customer import Customer, Wish
from lab.demo.progress import DemoError, Placed, watch
from lab.demo.story import order_and_pay
from lab.metal.tools import missing

WISH = Wish("bare-metal", CLASS, "tiny-a", "iron")
_PATIENCE_SECONDS = 300.0
_POLL_SECONDS = 0.5


def lab_options(console: Console) -> tuple[str, ...]:
    """What the lab needs for a machine; says loudly why there is none where that is so."""
    reason = missing()
    if reason is None:
        return ("--metal=1",)
    console.print(f"[bold yellow]The demo goes without its bare-metal order: {reason}[/]")
    return ()


class MachineScenes:
    """What happens to the one machine of the hall."""

    def __init__(self, console: Console, database: Database) -> None:
        self._console = console
        self._database = database

    def take_in(self, system: EmbeddedSystem) -> None:
        """Tell the pool of the machine, and have it inspected and wiped; that goes on beside everything else."""
        system.take_machines_in()
        self._console.print("A machine that nobody knows is told of; it is inspected and wiped before it can be sold.")

    def sell(self, customer: Customer) -> Placed:
        """Wait until the machine can be sold, and see an order through to a system that has called home."""
        self._wait(MachineState.AVAILABLE)
        self._show(DeploymentKind.INSPECT)
        (order,) = order_and_pay(self._console, customer, [WISH])
        watch(self._console, customer, [order], until="running")
        self._show(DeploymentKind.INSTALL)
        if self._machine().state is not MachineState.ACTIVE:
            raise DemoError(f"the machine of '{order.name}' is {self._machine().state}")
        return order

    def prove_wiped(self, order: Placed) -> None:
        """After the cancellation: the machine is back, and a signed report proves that it is empty."""
        machine = self._machine()
        if machine.state is not MachineState.AVAILABLE or not is_wiped(machine):
            raise DemoError(f"the machine of '{order.name}' is {machine.state} after it was cancelled")
        with self._database.transaction() as transaction:
            newest = transaction.session.scalars(select(WipeReport).order_by(WipeReport.id.desc()).limit(1)).one()
            disks = ", ".join(f"{disk['name']} by {disk['method']}" for disk in newest.disks)
        self._show(DeploymentKind.WIPE)
        self._console.print(f"Its wipe report is signed: {disks}; not one sample reads as anything but zeros.")

    def retire(self, system: EmbeddedSystem) -> None:
        """Take the machine out of the pool, as an operator does: else the site that it stands at could not go.

        Raises:
            httpx.HTTPStatusError: if the API refuses.
        """
        name, person = self._machine().name, system.administrator
        with httpx.Client(base_url=f"{system.api_url}/v1", timeout=30) as http:
            login = http.post("/auth/login", json={"email": person.email, "password": person.password})
            headers = {"X-CSRF-Token": login.raise_for_status().json()["csrf_token"]}
            reason = {"reason": "the demo is over"}
            http.delete(f"/admin/machines/{name}", params=reason, headers=headers).raise_for_status()
        machine = self._machine()
        if machine.state is not MachineState.RETIRED:
            raise DemoError(f"the machine is '{machine.state}' after it was retired")
        self._console.print("Its machine leaves the pool; that it was wiped stays provable.")

    def _machine(self) -> Machine:
        with self._database.transaction() as transaction:
            machine = transaction.session.scalars(select(Machine)).one()
            transaction.session.expunge(machine)
            return machine

    def _wait(self, state: MachineState) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self._console.status("The machine is inspected and wiped"):
            while self._machine().state is not state:
                machine = self._machine()
                if machine.state is MachineState.QUARANTINE or time.monotonic() > deadline:
                    raise DemoError(f"the machine is '{machine.state}': {machine.state_reason}")
                time.sleep(_POLL_SECONDS)

    def _show(self, kind: DeploymentKind) -> None:
        """Print how long each phase of the newest deployment of a kind took."""
        with self._database.transaction() as transaction:
            newest = select(Deployment.id).where(Deployment.kind == kind).order_by(Deployment.id.desc()).limit(1)
            query = select(DeploymentEvent).where(DeploymentEvent.deployment_id == newest.scalar_subquery())
            events = transaction.session.scalars(query.order_by(DeploymentEvent.id)).all()
        shown = table("SECONDS", kind.value.upper())
        for event in events:
            row(shown, f"{(event.at - events[0].at).total_seconds():.1f}", event.message)
        self._console.print(shown)


@contextmanager
def machine_scenes(console: Console, system: EmbeddedSystem) -> Iterator[MachineScenes | None]:
    """The scenes, or None where the lab has no machine."""
    if not system.has_machines:
        yield None
        return
    database = connect(system.settings["DATABASE_URL"])
    try:
        yield MachineScenes(console, database)
    finally:
        database.close()
