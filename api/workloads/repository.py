"""A customer's workloads and their operations. Built with the owner, so that nobody else's can be asked for."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.operations.models import Operation
from api.workloads.models import StatusChange, Workload


class WorkloadRepository:
    """Reads what one owner has."""

    def __init__(self, session: Session, owner_id: UUID) -> None:
        self._session = session
        self._owner_id = owner_id

    def query(self, name: str | None = None) -> Select[Workload]:
        """Select the owner's workloads, or those of a name."""
        query = select(Workload).where(Workload.owner_id == self._owner_id)
        return query if name is None else query.where(Workload.name == name)

    def get(self, workload_id: UUID) -> Workload:
        """Return one workload.

        Raises:
            NotFound: if the owner has no such workload.
        """
        workload = self._session.scalars(self.query().where(Workload.id == workload_id)).one_or_none()
        if workload is None:
            raise NotFound("you have no such workload")
        return workload

    def history(self, workload_id: UUID) -> Select[StatusChange]:
        """Select the history of one of the owner's workloads.

        Raises:
            NotFound: if the owner has no such workload.
        """
        return select(StatusChange).where(StatusChange.workload_id == self.get(workload_id).id)

    def operations(self, workload_id: UUID) -> Select[Operation]:
        """Select the operations of one of the owner's workloads.

        Raises:
            NotFound: if the owner has no such workload.
        """
        return select(Operation).where(Operation.workload_id == self.get(workload_id).id)

    def operation(self, operation_id: UUID) -> Operation:
        """Return one operation on one of the owner's workloads.

        Raises:
            NotFound: if there is none.
        """
        operation = self._session.scalars(
            select(Operation)
            .join(Workload, Workload.id == Operation.workload_id)
            .where(Operation.id == operation_id, Workload.owner_id == self._owner_id)
        ).one_or_none()
        if operation is None:
            raise NotFound("you have no such operation")
        return operation
