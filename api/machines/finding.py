"""Finds machines by their names."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.machines.lifecycle import lock_machine
from api.machines.models import Machine


def find_machine(session: Session, name: str) -> Machine:
    """Return a machine, without a lock.

    Raises:
        NotFound: if there is none of that name.
    """
    machine = session.scalars(select(Machine).where(Machine.name == name)).one_or_none()
    if machine is None:
        raise NotFound(f"there is no machine '{name}'")
    return machine


def locked_machine(session: Session, name: str) -> Machine:
    """Return a machine, locked until the transaction ends.

    Raises:
        NotFound: if there is none of that name.
    """
    return lock_machine(session, find_machine(session, name).id)
