"""The legal moves of a machine's life; which they are is data (``components.specs.machine``)."""

from api.errors import IllegalTransition
from components.specs.machine import MACHINE_MOVES, MachineState


def check_move(old: MachineState, new: MachineState) -> None:
    """Refuse a move that the life of a machine does not have.

    Raises:
        IllegalTransition: naming both states.
    """
    if new not in MACHINE_MOVES[old]:
        raise IllegalTransition(f"a machine that is '{old}' cannot become '{new}'", status_now=old.value)
