"""Chooses a node. Pure: what is free goes in, a choice comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from api.inventory.models import NodeClass
from components.specs import Resources, WorkloadKind


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """What a node has left, and what it has in all."""

    node_id: UUID
    free_cores: int
    free_memory_mib: int
    free_disk_gib: int
    total_cores: int
    total_memory_mib: int
    total_disk_gib: int

    def fits(self, need: Resources) -> bool:
        """Tell whether the node has room for one more guest of this size."""
        return (
            self.free_cores >= need.cores
            and self.free_memory_mib >= need.memory_mib
            and self.free_disk_gib >= need.disk_gib
        )

    def load_after(self, need: Resources) -> float:
        """Return how full the node's scarcest resource would be, from 0 to 1."""
        return max(
            1 - (self.free_cores - need.cores) / self.total_cores,
            1 - (self.free_memory_mib - need.memory_mib) / self.total_memory_mib,
            1 - (self.free_disk_gib - need.disk_gib) / self.total_disk_gib,
        )


def node_class_for(kind: WorkloadKind) -> NodeClass:
    """Return the class of node that a kind of workload lives on; one with a machine of its own lives on none."""
    return {
        WorkloadKind.CLOUD_VM: NodeClass.CLOUD,
        WorkloadKind.GAME_SERVER: NodeClass.GAME,
        WorkloadKind.BOT: NodeClass.BOT,
    }[kind]


def choose_node(rooms: Sequence[NodeRoom], need: Resources) -> NodeRoom | None:
    """Choose the node that stays least full, so that orders spread; None if nothing fits.

    Ties go to the older node, which makes the choice repeatable.
    """
    fitting = [room for room in rooms if room.fits(need)]
    return min(fitting, key=lambda room: (room.load_after(need), room.node_id), default=None)
