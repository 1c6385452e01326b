"""Compares what a machine's row and BMC say with what an operation was to bring about. Pure."""

from dataclasses import dataclass, replace

from api.operations.models import OperationKind
from automation.operations.verification import Mismatch
from components.specs import BareMetalSpec
from components.specs.machine import MachineState
from pxe.power.interfaces import PowerState


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """A machine, as it is now.

    Attributes:
        is_ours: it is held for the workload.
        is_untouched: no engine ever began for the workload, and the machine is proven to be empty.
        installed_digest: of the profile that the last installation wrote; None if none was verified.
        power: as its BMC says.
    """

    state: MachineState
    is_ours: bool
    is_untouched: bool = False
    installed_digest: str | None = None
    power: PowerState = PowerState.UNKNOWN

    def powered(self, power: PowerState) -> "MachineFacts":
        """Return the same with what its BMC says."""
        return replace(self, power=power)


def find_machine_mismatch(
    kind: OperationKind, spec: BareMetalSpec, profile_digest: str, facts: MachineFacts
) -> Mismatch | None:
    """Return what is wrong with a machine after an operation, or None if all is well.

    Args:
        kind: after a destroy the machine must be given back, after a reboot it must be on.
        spec: what was applied.
        profile_digest: of what is to be on the disks.
        facts: the machine's own row, and its BMC's word; a BMC that cannot tell the power is not held against it.
    """
    if kind is OperationKind.DESTROY:
        if facts.is_ours and not (facts.state is MachineState.RESERVED and facts.is_untouched):
            return Mismatch("machine_still_held", f"The machine was not given back: it is '{facts.state}'.")
        return None
    wanted = MachineState.RESCUE if spec.rescue else MachineState.ACTIVE
    is_on = spec.started or spec.rescue or kind is OperationKind.REBOOT
    checks = (
        (facts.is_ours, Mismatch("identity_conflict", "The machine is not held for this order.", retryable=False)),
        (facts.state is wanted, Mismatch("machine_state", f"The machine is '{facts.state}' and not '{wanted}'.")),
        (
            facts.installed_digest == profile_digest,
            Mismatch("machine_image", "What was installed on the machine is not what was asked for."),
        ),
        (
            facts.power is not (PowerState.OFF if is_on else PowerState.ON),
            Mismatch("machine_power", "The machine is not in the power state that was asked for."),
        ),
    )
    return next((mismatch for is_well, mismatch in checks if not is_well), None)
