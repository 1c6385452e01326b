"""Into the deployer by a machine's own firmware, which boots from our network."""

from collections.abc import Callable

from pxe.power.interfaces import BootInterface, PowerInterface, nothing


class NetworkStart:
    """Implements ``DeployerInterface``: off, told what to boot next, and on."""

    def __init__(self, power: PowerInterface, boot: BootInterface) -> None:
        self._power, self._boot = power, boot

    def start(self, look: Callable[[], None] = nothing) -> None:
        """See there."""
        look()
        self._power.off()  # before: some BMCs forget what to boot when the power goes
        self._boot.network_once()
        self._power.on()

    def leave(self) -> None:
        """See there: the port of the machine's switch is not ours."""
