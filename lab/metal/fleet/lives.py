"""Customers of a fleet: each orders a machine, pays, uses it, and most of them cancel."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.alerts.models import Alert, AlertKind
from api.billing.service import BillingService
from api.db.session import Database
from api.machines.models import Deployment, DeploymentStatus
from api.machines.overdue import OverdueDeployments
from api.orders.fulfilment import Fulfilment, lock_order
from api.orders.placement import OrderPlacement
from api.orders.schemas import OrderRequest
from api.vault import Vault
from api.workloads.models import Workload, WorkloadStatus
from components.specs.machine import DiskLayout
from lab.metal.fleet.iron import Iron
from lab.metal.fleet.payments import NoQueue, PromptPayers
from lab.metal.fleet.stocking import KEY, PRODUCT, SIZE, TEMPLATE, add_customer
from lab.metal.fleet.worker import POLICY, Worker

Answer = TypeVar("Answer")


@dataclass
class Life:
    """One order, and what became of it.

    Attributes:
        is_kept: its customer does not cancel.
        was_delivered: the machine was handed over.
        needs_person: its workload could not be removed, and waits for a decision; its machine is in quarantine.
        was_unseen: nobody was told.
    """

    name: str
    is_kept: bool
    order_id: UUID
    workload_id: UUID
    machine_id: UUID
    was_delivered: bool = False
    needs_person: bool = False
    was_unseen: bool = False


@dataclass
class Customers:
    """Leads lives; each call is for one thread. Blocks."""

    database: Database
    vault: Vault
    worker: Worker
    fleet: dict[UUID, Iron]
    payers: PromptPayers = field(default_factory=PromptPayers)

    def order(self, name: str, *, is_kept: bool, layout: DiskLayout) -> Life:
        """Have a new customer order a machine, which is held from now on.

        Raises:
            NoCapacity: if there is none.
        """
        placement = OrderPlacement(self.database, self.payers, self.vault, timedelta(minutes=60))
        wish = {"product": PRODUCT, "size": SIZE, "template": TEMPLATE, "name": name, "ssh_keys": (KEY,)}
        request = OrderRequest.model_validate({**wish, "layout": layout})
        customer_id = self._with(lambda session: add_customer(session, name).id)
        order_id = placement.place(customer_id, request, f"key-of-{name}").order_id
        workload = self._with(lambda session: session.scalars(select(Workload).filter_by(order_id=order_id)).one())
        if workload.machine_id is None:
            raise TypeError("a machine was ordered, and none is held")
        return Life(name, is_kept, order_id, workload.id, workload.machine_id)

    def live(self, life: Life) -> None:
        """Pay, use the machine, and cancel unless it is kept."""
        BillingService(self.database, self.payers, NoQueue(), POLICY.deadline_seconds).check_order(life.order_id)
        self.worker.settle(life.workload_id)
        if self._status(life) is WorkloadStatus.RUNNING:
            life.was_delivered = True
            self.fleet[life.machine_id].tenant_writes(life.name)
            if life.is_kept:
                return
            self._with(lambda session: self._cancel(session, life))
            self.worker.settle(life.workload_id)
        self._with(lambda session: _let_time_pass(session, life.machine_id))
        self._with(lambda session: _see_who_is_needed(session, life))

    def _cancel(self, session: Session, life: Life) -> None:
        order = lock_order(session, life.order_id)
        Fulfilment(session, POLICY.deadline_seconds).cancel(order, "not needed any more")

    def _status(self, life: Life) -> WorkloadStatus:
        query = select(Workload.status).where(Workload.id == life.workload_id)
        return self._with(lambda session: session.execute(query).scalar_one())

    def _with(self, action: Callable[[Session], Answer]) -> Answer:
        with self.database.transaction() as transaction:
            return action(transaction.session)


def _let_time_pass(session: Session, machine_id: UUID) -> None:
    """End what a machine is still being booted for as the sweep does, once its time is over."""
    open_ones = (Deployment.machine_id == machine_id, Deployment.status == DeploymentStatus.OPEN)
    found = session.scalars(select(Deployment.id).where(*open_ones)).all()
    session.execute(update(Deployment).where(*open_ones).values(deadline_at=func.now() - timedelta(seconds=1)))
    for deployment_id in found:
        OverdueDeployments(session).fail(deployment_id)


def _see_who_is_needed(session: Session, life: Life) -> None:
    """Note whether a person has to look at the workload now, and was told; what becomes of its machine was decided."""
    workload = session.get_one(Workload, life.workload_id)
    if workload.status is not WorkloadStatus.NEEDS_ATTENTION:
        return
    alert = select(Alert.id).where(
        Alert.kind == AlertKind.NEEDS_ATTENTION, Alert.subject_id == str(workload.id), Alert.resolved_at.is_(None)
    )
    life.needs_person = True
    life.was_unseen = session.execute(alert).first() is None
