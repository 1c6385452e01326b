"""Nodes' guests in a dictionary."""

from dataclasses import replace

from automation.operations.guests import GuestError, GuestFacts, NodeAccess
from components.specs import WorkloadKind


class FakeGuests:
    """Implements ``automation.operations.guests.GuestDirectory``; passes the same contract test as the real one.

    Attributes:
        guests: what is there, by node and VMID.
        is_reachable: while False, every call raises ``GuestError``.
        reboots: each reboot, as node and VMID.
        is_obedient: while False, guests do not shut down when they are asked to.
        shutdowns: each guest that has shut itself down, as node and VMID.
    """

    def __init__(self) -> None:
        self.guests: dict[tuple[str, int], GuestFacts] = {}
        self.is_reachable = True
        self.reboots: list[tuple[str, int]] = []
        self.is_obedient = True
        self.shutdowns: list[tuple[str, int]] = []

    def find(self, node: NodeAccess, vmid: int) -> GuestFacts | None:
        """Return the guest with this VMID, or None if the node has none."""
        self._reach(node)
        return self.guests.get((node.name, vmid))

    def reboot(self, node: NodeAccess, vmid: int, kind: WorkloadKind) -> None:
        """Restart the guest; one that is not there, or does not run, cannot be restarted."""
        del kind
        self._reach(node)
        guest = self.guests.get((node.name, vmid))
        if guest is None or not guest.is_running:
            raise GuestError(f"node {node.name} could not reboot the guest: it does not run")
        self.reboots.append((node.name, vmid))

    def shut_down(self, node: NodeAccess, vmid: int, kind: WorkloadKind) -> bool:
        """Shut a guest down; one that is off already is off."""
        del kind
        self._reach(node)
        guest = self.guests.get((node.name, vmid))
        if guest is None:
            raise GuestError(f"node {node.name} did not answer: HTTP 500")
        if guest.is_running and self.is_obedient:
            self.switch(node.name, vmid, is_running=False)
            self.shutdowns.append((node.name, vmid))
        return not self.guests[node.name, vmid].is_running

    def put(self, node: str, guest: GuestFacts) -> None:
        """Place a guest on a node."""
        self.guests[node, guest.vmid] = guest

    def switch(self, node: str, vmid: int, *, is_running: bool) -> None:
        """Switch a guest on or off behind everybody's back."""
        self.guests[node, vmid] = replace(self.guests[node, vmid], is_running=is_running)

    def _reach(self, node: NodeAccess) -> None:
        if not self.is_reachable:
            raise GuestError(f"node {node.name} did not answer: ConnectTimeout")
