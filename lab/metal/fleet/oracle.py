"""What must hold of a fleet, whatever went wrong: looked at while it works, and at the end."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.alerts.models import Alert, AlertKind
from api.db.session import Database
from api.machines.lifecycle import is_wiped
from api.machines.models import Deployment, DeploymentStatus, Machine
from api.workloads.models import Workload
from components.specs.machine import DeploymentKind, MachineState
from lab.metal.fleet.disks import Write
from lab.metal.fleet.iron import BMC_USER, Iron
from pxe.power.interfaces import PowerState

_LOOK_SECONDS = 0.05


@dataclass
class Watch:
    """Looks again and again whether a machine that can be sold holds anything.

    Attributes:
        found: sentences of what was wrong.
        looks: how often it has looked at all machines.
    """

    database: Database
    fleet: Mapping[UUID, Iron]
    found: list[str] = field(default_factory=list)
    looks: int = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch until the block ends."""
        over = threading.Event()
        thread = threading.Thread(target=self._run, args=(over,), name="oracle")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def look(self) -> None:
        """Look once; what was sold between two glances is left out."""
        before = self._available()
        dirty = {machine_id for machine_id in before if not self.fleet[machine_id].is_empty()}
        after = self._available() if dirty else {}
        for machine_id in dirty:
            if after.get(machine_id) == before[machine_id]:
                self.found.append(f"{self.fleet[machine_id].label.name} is available, and not empty")
        self.looks += 1

    def _run(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            self.look()

    def _available(self) -> dict[UUID, object]:
        query = select(Machine.id, Machine.state_at).where(Machine.state == MachineState.AVAILABLE)
        with self.database.transaction() as transaction:
            return {row[0]: row[1] for row in transaction.session.execute(query)}


class Judgement:
    """Holds the database against what the disks remember, once nobody is at work any more."""

    def __init__(self, session: Session, fleet: Mapping[UUID, Iron]) -> None:
        self._fleet = fleet
        self._machines = session.scalars(select(Machine).where(Machine.id.in_(fleet)).order_by(Machine.name)).all()
        self._deployments = {row.id: row for row in session.scalars(select(Deployment))}
        self._names = {row[0]: row[1] for row in session.execute(select(Workload.id, Workload.name))}
        quarantined = select(Alert.subject_id).where(
            Alert.kind == AlertKind.MACHINE_QUARANTINED, Alert.resolved_at.is_(None)
        )
        self._alerts = set(session.scalars(quarantined))

    def faults(self, kept: Iterable[UUID]) -> list[str]:
        """Return a sentence for everything that is not as it must be.

        Args:
            kept: the workloads that nobody has cancelled.
        """
        wanted = frozenset(kept)
        found = [sentence for machine in self._machines for sentence in self._of(machine, wanted)]
        opened = [row for row in self._deployments.values() if row.status is DeploymentStatus.OPEN]
        return [*found, *(f"deployment {row.id} ({row.kind}) is still open" for row in opened)]

    def states(self) -> dict[MachineState, int]:
        """Return how many machines ended in which state."""
        counted: dict[MachineState, int] = {}
        for machine in self._machines:
            counted[machine.state] = counted.get(machine.state, 0) + 1
        return counted

    def _of(self, machine: Machine, kept: frozenset[UUID]) -> Iterator[str]:
        iron = self._fleet[machine.id]
        yield from (f"{machine.name}: {sentence}" for sentence in self._history(iron))
        match machine.state:
            case MachineState.AVAILABLE:
                faults = self._available(machine, iron)
            case MachineState.QUARANTINE:
                faults = self._quarantine(machine)
            case MachineState.ACTIVE if machine.workload_id in kept:
                faults = self._active(machine, iron)
            case _:
                faults = iter([f"ended '{machine.state}': {machine.state_reason}"])
        yield from (f"{machine.name}: {sentence}" for sentence in faults)

    def _available(self, machine: Machine, iron: Iron) -> Iterator[str]:
        if not iron.is_empty():
            yield "is available, and not empty"
        if not is_wiped(machine) or machine.workload_id is not None:
            yield "is available against its own row"
        for disk in iron.disks:
            last = next((write for write in reversed(iron.writes) if write.disk == disk.name), None)
            if last is not None and last.marker is not None:
                yield f"is available, and {disk.name} was written to after its last wipe"
        if set(iron.bmc.users) != {BMC_USER}:
            yield "is available, and its BMC has users of a customer"
        if iron.bmc.power is not PowerState.OFF:
            yield "is available, and on"

    def _quarantine(self, machine: Machine) -> Iterator[str]:
        if str(machine.id) not in self._alerts:
            yield "is in quarantine without an alert"
        if not machine.state_reason:
            yield "is in quarantine without a reason"

    def _active(self, machine: Machine, iron: Iron) -> Iterator[str]:
        name = self._names.get(machine.workload_id) if machine.workload_id else None
        if {disk.marker for disk in iron.disks} != {name}:
            yield f"is '{name}''s, and something else is on its disks"

    def _history(self, iron: Iron) -> Iterator[str]:
        """Nothing was ever written for another machine, nor over what another customer has left."""
        for disk in iron.disks:
            owner: UUID | None = None
            for write in (one for one in iron.writes if one.disk == disk.name):
                deployment = None if write.deployment_id is None else self._deployments.get(write.deployment_id)
                if write.deployment_id is not None:
                    yield from self._foreign(iron, write, deployment)
                if deployment is None:
                    continue
                if deployment.kind is DeploymentKind.INSTALL and owner not in {None, deployment.workload_id}:
                    yield f"{disk.name} was installed over another customer's data"
                owner = None if write.marker is None else deployment.workload_id

    def _foreign(self, iron: Iron, write: Write, deployment: Deployment | None) -> Iterator[str]:
        if deployment is None:
            yield f"{write.disk} was written to for deployment {write.deployment_id}, which is none"
            return
        if deployment.machine_id != iron.label.machine_id:
            yield f"{write.disk} was written to for a deployment of another machine"
        kind = DeploymentKind.WIPE if write.marker is None else DeploymentKind.INSTALL
        if deployment.kind is not kind:
            yield f"{write.disk} was written to by a '{deployment.kind}' as no such does"
        own = self._names.get(deployment.workload_id) if deployment.workload_id else None
        if write.marker is not None and write.marker.endswith(str(deployment.id)):
            return
        if write.marker not in {None, own}:
            yield f"{write.disk} holds '{write.marker}', and the deployment was '{own}''s"


def sentences(found: Sequence[str]) -> str:
    """Return what was wrong, for people."""
    return "\n".join(found) or "nothing"
