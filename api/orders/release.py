"""Gives back what an order held."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from api.dns.models import DnsLabel
from api.inventory.capacity import Capacity
from api.ipam.service import Ipam
from api.machines.pool import MachinePool


def release_reservations(session: Session, workload_id: UUID, quarantine: timedelta) -> None:
    """Release capacity, machine, addresses and DNS label; the VMID is spent for good.

    Call only when the workload's absence has been verified, or nothing of it was ever made. Addresses rest for
    ``quarantine``, so that a new tenant does not inherit the former one's traffic and reputation at once. A machine
    goes back here only if nothing was ever written to it; else its wipe has given it back before, or it stays where it
    is. Repeating it is harmless.
    """
    MachinePool(session).release_unpaid(workload_id)
    Capacity(session).release(workload_id)
    Ipam(session).release(workload_id, quarantine)
    session.execute(delete(DnsLabel).where(DnsLabel.workload_id == workload_id))
