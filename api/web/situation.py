"""How a customer's machine is, in words for its owner. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.workloads.models import WorkloadStatus
from components.specs.machine import DeploymentKind

_W = WorkloadStatus


@dataclass(frozen=True, slots=True)
class Situation:
    """A word with its colour, and a sentence."""

    word: str
    tone: str
    sentence: str


_OF_STATUS: Mapping[WorkloadStatus, Situation] = MappingProxyType(
    {
        _W.PENDING_PAYMENT: Situation(
            "waits for payment", "wait", "Your machine is held for you until the payment page expires."
        ),
        _W.QUEUED: Situation("about to begin", "wait", "Your payment has arrived; the installation begins shortly."),
        _W.PROVISIONING: Situation(
            "being installed", "live", "The operating system is being written. This page follows it by itself."
        ),
        _W.RUNNING: Situation("running", "good", "Your machine is switched on and runs what is on its disks."),
        _W.STOPPED: Situation("switched off", "calm", "Your machine is switched off. Its disks keep everything."),
        _W.SUSPENDED: Situation("suspended", "bad", "Your machine is suspended: ask our support."),
        _W.UPDATING: Situation("being changed", "live", "What you asked for is being done."),
        _W.NEEDS_ATTENTION: Situation(
            "needs our attention", "bad", "Something went wrong. Our staff has been told, and looks after it."
        ),
        _W.CANCELLING: Situation(
            "being taken back", "live", "You have cancelled it. All of its disks are wiped before anybody else gets it."
        ),
        _W.DELETED: Situation("gone", "calm", "This machine is not yours any more."),
    }
)
_RESCUE = Situation(
    "in rescue", "wait", "It runs the rescue system from memory. Its disks are left alone, for you to look at."
)
_TO_RESCUE = Situation("going into rescue", "live", "The rescue system is being started. Its disks are left alone.")
_REINSTALLED = Situation(
    "being reinstalled", "live", "The operating system is being written anew. What was on its disks is gone."
)


def situation_of(
    status: WorkloadStatus, *, is_rescue: bool, under_way: DeploymentKind | None, was_delivered: bool
) -> Situation:
    """Say how a machine is.

    Args:
        status: its workload's.
        is_rescue: whether the rescue system is wanted.
        under_way: what it is being booted for at the moment.
        was_delivered: whether it has been the customer's before.
    """
    if status is WorkloadStatus.RUNNING and is_rescue:
        return _RESCUE
    if status is WorkloadStatus.UPDATING and under_way is DeploymentKind.RESCUE:
        return _TO_RESCUE
    if status is WorkloadStatus.UPDATING and under_way is DeploymentKind.INSTALL and was_delivered:
        return _REINSTALLED
    return _OF_STATUS[status]
