"""Machines' power in this process: remembers what was asked for, and fails as told."""

from collections import defaultdict, deque
from collections.abc import Callable

from api.machines.bmc import BmcAccess
from automation.metal.power import PowerFailed, PowerVerb


class FakePowerDrivers:
    """Implements ``automation.metal.power.PowerDrivers``.

    Attributes:
        done: what was done to each machine, by its name.
        failures: what goes wrong at the next calls, by machine.
        at_boot: is called with a machine's name when it boots from the network.
    """

    def __init__(self) -> None:
        self.done: dict[str, list[str]] = defaultdict(list)
        self.failures: dict[str, deque[PowerFailed]] = defaultdict(deque)
        self.at_boot: Callable[[str], None] = lambda _name: None

    def open(self, access: BmcAccess) -> "FakeMachinePower":
        """Return a machine's power."""
        return FakeMachinePower(self, access.machine)


class FakeMachinePower:
    """Implements ``automation.metal.power.MachinePower``."""

    def __init__(self, drivers: FakePowerDrivers, name: str) -> None:
        self._drivers, self._name = drivers, name

    def boot_from_network(self) -> None:
        """Boot it."""
        self._do("network")
        self._drivers.at_boot(self._name)

    def do(self, verb: PowerVerb) -> None:
        """Switch it."""
        self._do(verb.value)

    def leave_clean(self) -> None:
        """Switch it off, and clean up."""
        self._do("clean")

    def _do(self, what: str) -> None:
        if self._drivers.failures[self._name]:
            raise self._drivers.failures[self._name].popleft()
        self._drivers.done[self._name].append(what)
