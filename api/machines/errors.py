"""What can go wrong with machines."""

from api.errors import Conflict, NoCapacity


class NotWiped(Conflict):
    """The wipe gate: something may have been written to the machine since it was last proven empty."""

    code = "not_wiped"
    title = "The machine is not proven to be wiped"


class DeploymentOver(Conflict):
    """The deployment has ended or was aborted: the machine must touch nothing more."""

    code = "deployment_over"
    title = "This deployment is over"
    status = 410


class WrongMachine(Conflict):
    """Another machine answers than the one that was meant: cables swapped, or a board replaced."""

    code = "wrong_machine"
    title = "This is not the machine that it should be"


class NoMachine(NoCapacity):
    """No machine of this class is free; nothing was charged."""
