"""Nodes' guests in a dictionary."""

from dataclasses import replace
from typing import Any

from api.drift.facts import ListedGuest
from automation.operations.guests import GuestError, GuestFacts, NodeAccess
from components.specs import WorkloadKind

_SHAPE = ListedGuest(
    vmid=0, kind="qemu", name="", is_running=True, tags=frozenset(), cores=1, memory_mib=2048, disk_gib=20
)


class FakeGuests:
    """Implements ``automation.operations.guests.GuestDirectory``; passes the same contract test as the real one.

    Attributes:
        guests: what is there, by node and VMID.
        is_reachable: while False, every call raises ``GuestError``.
        reboots: each reboot, as node and VMID.
        is_obedient: while False, guests do not shut down when they are asked to.
        shutdowns: each guest that has shut itself down, as node and VMID.
        shapes: how large a guest is, by node and VMID; the others are virtual machines of one core.
        listings: the node of each time that all guests were listed.
    """

    def __init__(self) -> None:
        self.guests: dict[tuple[str, int], GuestFacts] = {}
        self.is_reachable = True
        self.reboots: list[tuple[str, int]] = []
        self.is_obedient = True
        self.shutdowns: list[tuple[str, int]] = []
        self.shapes: dict[tuple[str, int], ListedGuest] = {}
        self.listings: list[str] = []

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

    def listing(self, node: NodeAccess) -> list[ListedGuest]:
        """List what is there, with the shapes that were ``shape``d."""
        self._reach(node)
        self.listings.append(node.name)
        return [
            replace(
                self.shapes.get((name, vmid), _SHAPE),
                vmid=vmid,
                name=guest.name,
                is_running=guest.is_running,
                tags=guest.tags,
            )
            for (name, vmid), guest in self.guests.items()
            if name == node.name
        ]

    def remove(self, node: NodeAccess, vmid: int, tag: str) -> bool:
        """Delete a guest that bears a tag."""
        self._reach(node)
        guest = self.guests.get((node.name, vmid))
        if guest is not None and tag not in guest.tags:
            return False
        self.guests.pop((node.name, vmid), None)
        return True

    def shape(self, node: str, vmid: int, **changes: Any) -> None:
        """Give a guest a size, a kind or a lock: fields of ``ListedGuest``."""
        self.shapes[node, vmid] = replace(self.shapes.get((node, vmid), _SHAPE), **changes)

    def put(self, node: str, guest: GuestFacts) -> None:
        """Place a guest on a node."""
        self.guests[node, guest.vmid] = guest

    def switch(self, node: str, vmid: int, *, is_running: bool) -> None:
        """Switch a guest on or off behind everybody's back."""
        self.guests[node, vmid] = replace(self.guests[node, vmid], is_running=is_running)

    def _reach(self, node: NodeAccess) -> None:
        if not self.is_reachable:
            raise GuestError(f"node {node.name} did not answer: ConnectTimeout")
