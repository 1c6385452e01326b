"""The verbs that only a workload with a machine of its own has: install it again, and the rescue system."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.errors import Conflict
from api.operations.cause import Cause
from api.operations.models import Operation, OperationKind
from api.operations.scheduling import schedule
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import active_operation, change_desired
from components.specs import BareMetalSpec, WorkloadKind
from components.specs.machine import DiskLayout, MachineImage

_REINSTALLABLE = (WorkloadStatus.RUNNING, WorkloadStatus.STOPPED, WorkloadStatus.NEEDS_ATTENTION)
_RESCUABLE = (WorkloadStatus.RUNNING, WorkloadStatus.STOPPED)


@dataclass(frozen=True, slots=True)
class Reinstallation:
    """What is to be on a machine's disks from now on."""

    image: MachineImage
    layout: DiskLayout
    user: str
    ssh_keys: tuple[str, ...]


class MachineVerbs:
    """A customer's verbs on one machine, whose workload the caller has locked with ``lock_workload``."""

    def __init__(self, session: Session, deadline_seconds: float) -> None:
        self._session = session
        self._deadline_seconds = deadline_seconds

    def reinstall(self, workload: Workload, wanted: Reinstallation, cause: Cause) -> Operation:
        """Want a machine installed again, whatever is on its disks; it starts, and leaves the rescue system.

        Args:
            workload: locked.
            wanted: what is to be on the disks.
            cause: with the owner's consent: all that the machine holds is lost.

        Raises:
            Conflict: if the workload is no machine, in no state for it, or another operation is under way.
        """
        spec = machine_spec(workload)
        self._check(workload, _REINSTALLABLE, "reinstalled")
        if active_operation(self._session, workload) is not None:
            raise Conflict("another operation on this machine is under way; wait until it has ended")
        fields = {
            "image": wanted.image.model_dump(mode="json"),
            "layout": wanted.layout.value,
            "user": wanted.user,
            "ssh_keys": list(wanted.ssh_keys),
            "installation": spec.installation + 1,
            "started": True,
            "rescue": False,
        }
        return self._apply(workload, fields, cause)

    def set_rescue(self, workload: Workload, *, on: bool, cause: Cause) -> Operation | None:
        """Want a machine to run the rescue system, or its own again; returns the operation, or None if it is so.

        The rescue system runs, so a machine that was off is on from here on.

        Raises:
            Conflict: if the workload is no machine, in no state for it, or another operation is under way.
        """
        spec = machine_spec(workload)
        active = active_operation(self._session, workload)
        if spec.rescue is on and not workload.desired_absent:
            return active
        self._check(workload, _RESCUABLE, "put into the rescue system or out of it")
        if active is not None:
            raise Conflict("another operation on this machine is under way; wait until it has ended")
        return self._apply(workload, {"rescue": on, "started": True}, cause)

    def _check(self, workload: Workload, states: tuple[WorkloadStatus, ...], what: str) -> None:
        if workload.desired_absent or workload.status not in states:
            raise Conflict(f"a machine that is '{workload.status}' cannot be {what}")

    def _apply(self, workload: Workload, fields: Mapping[str, Any], cause: Cause) -> Operation:
        change_desired(self._session, workload, fields, cause)
        return schedule(self._session, workload, OperationKind.APPLY, self._deadline_seconds, cause)


def machine_spec(workload: Workload) -> BareMetalSpec:
    """Return what is wanted of a workload that has a machine of its own.

    Raises:
        Conflict: if it is another kind of workload.
    """
    if workload.kind is not WorkloadKind.BARE_METAL:
        kind = workload.kind.value.replace("_", " ")
        raise Conflict(f"'{workload.name}' is a {kind}: only a bare-metal machine can be asked for that")
    return BareMetalSpec.model_validate(workload.desired)
