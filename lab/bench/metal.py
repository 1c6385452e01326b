"""``slipway bench metal``: from power-on to a running machine, by phases, beside the same image installed by hand."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from rich.console import Console
from sqlalchemy import func, select

from api.db.session import Database, connect
from api.machines.models import Deployment, DeploymentEvent, Machine
from api.workloads.models import StatusChange, WorkloadStatus
from automation.embedded.metal import CLASS
from automation.embedded.system import EmbeddedSystem, SystemOptions
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from lab.bench.by_hand import install_by_hand
from lab.bench.figures import Figure, at_most, shown, spread
from lab.customer import Customer, Wish, pay, sign_up
from lab.metal.debian import NAME as DEBIAN
from lab.metal.debian import ensure_debian, is_possible
from lab.metal.images import LabImage, ensure_images

_TINY = "tiny-a"
_MOST_RUNS = 3
_LIMIT_SECONDS = {_TINY: 60.0, DEBIAN: 180.0}
_MOST_OVERHEAD_PERCENT = 10.0
_PATIENCE_SECONDS = 900.0
_LOOK_SECONDS = 2.0
"""Seldom: looking takes time from the machine, and what is measured are the database's own times."""
_ENDS = frozenset({"needs_attention", "deleted"})
"""What a workload that did not become what was waited for does not leave by itself."""
_SETTINGS = {"SLIPWAY_REQUESTS_PER_MINUTE": "100000"}
_MEANS = {
    DeploymentPhase.POWER: "switched on, firmware, DHCP",
    DeploymentPhase.SCRIPT: "script, kernel, initrd, check-in",
    DeploymentPhase.INSPECT: "inspect",
    DeploymentPhase.WRITE: "write",
    DeploymentPhase.VERIFY: "verify",
    DeploymentPhase.CONFIGURE: "grow, configure",
    DeploymentPhase.REBOOT: "reboot, first boot",
    DeploymentPhase.FIRST_BOOT: "seen by the engine",
    DeploymentPhase.DONE: "operation ended, workload running",
}
"""What the time from a phase to the next one is spent on."""


@dataclass(frozen=True)
class _Installed:
    """One installation: seconds from each phase to the next, in their order."""

    seconds: dict[DeploymentPhase, float]

    @property
    def total(self) -> float:
        """From power-on to ``running``."""
        return sum(self.seconds.values())

    @property
    def until_called(self) -> float:
        """From power-on until the installed system has called: what by hand ends with."""
        after = {DeploymentPhase.FIRST_BOOT, DeploymentPhase.DONE}
        return sum(value for phase, value in self.seconds.items() if phase not in after)


def measure_metal(console: Console, orders: int) -> list[Figure]:
    """Order, install and give back a machine of QEMU's, up to three times an image; blocks for ten minutes or more."""
    runs = min(_MOST_RUNS, orders)
    images = {_TINY: ensure_images()[_TINY]}
    if is_possible():
        console.print("A real Debian is made into an image, unless it is there")
        images[DEBIAN] = ensure_debian()
    else:
        console.print("[yellow]No mmdebstrap (or not root): the real Debian is left out[/]")
    installed = _ordered(console, images, runs)
    by_hand = {}
    for name, image in images.items():
        console.print(f"Installing {name} by hand, {runs} times")
        by_hand[name] = install_by_hand(image, runs)
    return [figure for name in images for figure in _figures(name, installed[name], by_hand[name])]


def _figures(name: str, installed: Sequence[_Installed], by_hand: Sequence[float]) -> list[Figure]:
    totals = [each.total for each in installed]
    figures = [
        at_most(
            f"{name}: power-on to running", statistics.median(totals), "s", _LIMIT_SECONDS[name], spread(totals, "s")
        )
    ]
    for phase, what in _MEANS.items():
        seconds = [each.seconds[phase] for each in installed]
        figures.append(shown(f"{name}: {what}", statistics.median(seconds), "s", spread(seconds, "s")))
    called, hand = statistics.median(each.until_called for each in installed), statistics.median(by_hand)
    figures.append(shown(f"{name}: by hand", hand, "s", spread(by_hand, "s")))
    note = f"until the installed system has called: {called:.1f} s beside {hand:.1f} s"
    figures.append(at_most(f"{name}: more than by hand", (called / hand - 1) * 100, "%", _MOST_OVERHEAD_PERCENT, note))
    return figures


def _ordered(console: Console, images: dict[str, LabImage], runs: int) -> dict[str, list[_Installed]]:
    flags = ("--nodes=cloud=1", "--metal=1", *(["--metal-debian"] if DEBIAN in images else []))
    with (
        tempfile.TemporaryDirectory(prefix="slipway-metal-") as folder,
        EmbeddedSystem(Path(folder), SystemOptions(lab_options=flags), environment=_SETTINGS) as system,
        closing(connect(system.settings["DATABASE_URL"])) as database,
    ):
        bench = _MetalBench(sign_up(system.api_url), database)
        bench.await_available()
        found: dict[str, list[_Installed]] = {}
        for name in images:
            console.print(f"Ordering a machine with {name}, {runs} times")
            found[name] = [bench.install(name, number) for number in range(runs)]
        return found


class _MetalBench:
    """One customer, and the one machine of the hall."""

    def __init__(self, customer: Customer, database: Database) -> None:
        self._customer = customer
        self._database = database

    def install(self, image: str, number: int) -> _Installed:
        """Order, pay, wait until it runs, and give it back."""
        order = self._customer.order(Wish("bare-metal", CLASS, image, f"{image}-{number}"))
        pay(order["checkout_url"])
        workload = str(order["workload_id"])
        self._await(workload, "running")
        measured = self._measured(UUID(workload))
        self._customer.client.post(f"/workloads/{workload}/cancel", {})
        self._await(workload, "deleted")
        self.await_available()
        return measured

    def await_available(self) -> None:
        """Wait until the machine can be sold.

        Raises:
            TimeoutError: it cannot.
        """
        state = None
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with self._database.transaction() as transaction:
                state = transaction.session.scalars(select(Machine.state)).one()
            if state is MachineState.AVAILABLE:
                return
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError(f"the machine is still '{state}'")

    def _await(self, workload: str, status: str) -> None:
        told = ""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            told = self._customer.workload(workload)["status"]
            if told == status:
                return
            if told in _ENDS:
                break
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError(f"the machine of '{workload}' did not become {status}; it is {told}")

    def _measured(self, workload: UUID) -> _Installed:
        """By the database's own clock."""
        with self._database.transaction() as transaction:
            session = transaction.session
            installs = select(Deployment.id).where(Deployment.kind == DeploymentKind.INSTALL)
            newest = installs.order_by(Deployment.id.desc()).limit(1)
            rows = session.execute(
                select(DeploymentEvent.phase, func.min(DeploymentEvent.at))
                .where(DeploymentEvent.deployment_id == newest.scalar_subquery(), DeploymentEvent.phase.is_not(None))
                .group_by(DeploymentEvent.phase)
            ).all()
            running = session.scalars(
                select(func.max(StatusChange.created_at)).where(
                    StatusChange.workload_id == workload, StatusChange.to_status == WorkloadStatus.RUNNING
                )
            ).one()
        began = {phase: at for phase, at in rows if phase is not None}
        ends = [*(began[phase] for phase in list(_MEANS)[1:]), running]
        return _Installed(
            {phase: (end - began[phase]).total_seconds() for phase, end in zip(_MEANS, ends, strict=True)}
        )
