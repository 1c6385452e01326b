"""A BMC's password between two customers: the next one is kept before the BMC hears of it.

As long as it is not known which of the two is in force, both are kept. Each write names the passwords that somebody has
tried, and does nothing if others are recorded by now. The caller's transaction commits.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import SYSTEM, AuditEntry, record
from api.machines.bmc import BmcAccess
from api.machines.lifecycle import lock_machine
from api.machines.models import Machine


class BmcRotation:
    """Writes what becomes of the passwords of machines' BMCs. All of them are sealed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, machine_id: UUID, workload_id: UUID, sealed: bytes) -> BmcAccess:
        """Keep what a machine's password is to be once its workload is gone; returns how its BMC is reached.

        One that is there from an earlier attempt stays: it may be in force. A machine that the workload holds no more
        is left as it is.
        """
        machine = lock_machine(self._session, machine_id)
        if machine.workload_id == workload_id and machine.bmc_next_password_encrypted is None:
            machine.bmc_next_password_encrypted = sealed
            self._session.flush()
        return BmcAccess.of(machine)

    def promote(self, tried: BmcAccess) -> None:
        """Have the next password be the password: the BMC has taken it."""
        machine = self._as_tried(tried)
        if machine is None:
            return
        machine.bmc_password_encrypted = machine.bmc_next_password_encrypted
        machine.bmc_next_password_encrypted = None
        self._session.flush()
        entry = AuditEntry(
            action="machine.rotate_credential",
            actor=SYSTEM,
            subject_type="machine",
            subject_id=machine.name,
            reason="its BMC takes the password that was made for the time after its last customer",
        )
        record(self._session, entry)

    def forget(self, tried: BmcAccess) -> None:
        """Have no next password: the BMC has never heard of it, and of a machine that nobody has, it will not."""
        machine = self._as_tried(tried)
        if machine is not None and machine.workload_id is None:
            machine.bmc_next_password_encrypted = None
            self._session.flush()

    def _as_tried(self, tried: BmcAccess) -> Machine | None:
        """Return the machine, locked, if its passwords are still those that were tried."""
        query = select(Machine).where(
            Machine.name == tried.machine,
            Machine.bmc_password_encrypted == tried.password_encrypted,
            Machine.bmc_next_password_encrypted == tried.next_password_encrypted,
        )
        locked = query.with_for_update().execution_options(populate_existing=True)
        return self._session.scalars(locked).one_or_none()
