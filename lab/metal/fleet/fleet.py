"""A fleet from its first order to its last wipe."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from api.db.session import Database
from api.machines.models import Machine
from api.operations.leased import Leased
from api.vault import Vault
from components.specs.machine import DeploymentKind, DiskLayout, MachineState
from lab.metal.fleet.initrd import Firmware
from lab.metal.fleet.iron import Iron, Label
from lab.metal.fleet.lives import Customers, Life
from lab.metal.fleet.oracle import Judgement, Watch
from lab.metal.fleet.stocking import add_machines, stock
from lab.metal.fleet.troubles import TroublePlan
from lab.metal.fleet.wire import Board, Cable
from lab.metal.fleet.worker import Worker

_IDLE_SECONDS = 30.0
_KEPT_EVERY = 10
"""Each tenth customer stays."""
_MIRRORED_EVERY = 2

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class FleetSize:
    """How large a fleet is, and how it is used.

    Attributes:
        rounds: how often the pool is sold out; what is in quarantine or kept is not sold again.
        at_once: orders that are worked on at the same time.
    """

    machines: int
    rounds: int = 1
    at_once: int = 16


@dataclass
class FleetReport:
    """What became of a fleet.

    Attributes:
        wrong: sentences of what must never be, by the oracle.
        surprises: what broke on machines in a way that no machine does.
        troubles: how often each kind was let happen, and in what state the machine ended then, ``KIND: STATE``.
        requests: to the API and the boot service.
    """

    lives: list[Life]
    states: dict[MachineState, int]
    troubles: Counter[str]
    wrong: list[str]
    surprises: list[str]
    looks: int
    requests: int
    seconds: float

    @property
    def outcomes(self) -> Counter[str]:
        """How many orders ended how."""
        return Counter(_outcome(life) for life in self.lives)


def _outcome(life: Life) -> str:
    delivered = "delivered" if life.was_delivered else "not delivered"
    if life.needs_person:
        return f"{delivered}, left to a person's decision"
    return f"{delivered}, kept" if life.is_kept and life.was_delivered else f"{delivered}, taken away"


@dataclass
class Fleet:
    """Machines, customers and a worker on a database that is empty but for its schema.

    Attributes:
        api_url: of the running API on this database.
        boot_url: of the running boot service on it.
        machines: by their ids, once it has begun.
    """

    database: Database
    vault: Vault
    api_url: str
    boot_url: str
    plan: TroublePlan
    size: FleetSize
    machines: dict[UUID, Iron] = field(default_factory=dict)
    _drawn: list[tuple[str, UUID]] = field(default_factory=list)

    def run(self) -> FleetReport:
        """Sell the pool out, deliver everything, take most of it back, and judge. Blocks for minutes with thousands."""
        cable = Cable()
        began = time.monotonic()
        try:
            fleet = self.machines = self._new_machines(cable)
            stock(self.database, self.vault, self.size.machines * self.size.rounds)
            add_machines(self.database, self.vault, list(fleet.values()))
            worker = Worker(self.database, cable, self.api_url, fleet, self._on_occasion)
            customers = Customers(self.database, self.vault, worker, fleet)
            watch = Watch(self.database, fleet)
            with watch.watching():
                lives = [life for number in range(self.size.rounds) for life in self._round(customers, number)]
            seconds = time.monotonic() - began
            return self._judge(lives, watch, cable.requests, seconds)
        finally:
            cable.unplug()

    def _new_machines(self, cable: Cable) -> dict[UUID, Iron]:
        firmware = Firmware(cable.client(self.boot_url), Board())
        return {label.machine_id: Iron(label, firmware.run) for label in map(_label, range(1, self.size.machines + 1))}

    def _round(self, customers: Customers, number: int) -> list[Life]:
        """All order at once, and only then is anything installed: no machine may be sold twice."""
        query = select(func.count()).where(Machine.state == MachineState.AVAILABLE)
        with self.database.transaction() as transaction:
            free = transaction.session.execute(query).scalar_one()

        def order(index: int) -> Life:
            layout = DiskLayout.SINGLE if index % _MIRRORED_EVERY else DiskLayout.RAID1
            return customers.order(f"box-{number}-{index}", is_kept=index % _KEPT_EVERY == 0, layout=layout)

        lives = self._at_once(order, range(free))
        self._at_once(customers.live, lives)
        return lives

    def _at_once(self, action: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
        with ThreadPoolExecutor(self.size.at_once) as pool:
            return list(pool.map(action, items))

    def _on_occasion(self, iron: Iron, lease: Leased, occasion: DeploymentKind) -> None:
        trouble = self.plan.draw(lease.name, occasion)
        iron.arm(trouble)
        if trouble is not None:
            self._drawn.append((f"{occasion}: {trouble.kind}", iron.label.machine_id))

    def _judge(self, lives: list[Life], watch: Watch, requests: int, seconds: float) -> FleetReport:
        fleet = self.machines
        stuck = [iron.label.name for iron in fleet.values() if not iron.clock.await_idle(_IDLE_SECONDS)]
        watch.look()
        with self.database.transaction() as transaction:
            judgement = Judgement(transaction.session, fleet)
            wrong = judgement.faults(life.workload_id for life in lives if life.is_kept)
            states = {row[0]: row[1] for row in transaction.session.execute(select(Machine.id, Machine.state))}
        broken = [f"{iron.label.name}: {error!r}" for iron in fleet.values() for error in iron.surprises]
        return FleetReport(
            lives=lives,
            states=judgement.states(),
            troubles=Counter(f"{kind}: {states[machine_id]}" for kind, machine_id in self._drawn),
            wrong=[*watch.found, *wrong, *(f"nobody was told of {life.name}" for life in lives if life.was_unseen)],
            surprises=[*broken, *(f"{name} works without end" for name in stuck)],
            looks=watch.looks,
            requests=requests,
            seconds=seconds,
        )


def _label(number: int) -> Label:
    mac = f"52:54:00:{number >> 16 & 0xFF:02x}:{number >> 8 & 0xFF:02x}:{number & 0xFF:02x}"
    return Label(uuid7(), f"fleet-{number:04}", f"FLEET-{number:04}", mac)
