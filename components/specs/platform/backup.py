"""The backup stack's configuration: server, datastore, how long backups are kept, and whose they are."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from components.specs.network import Frozen
from components.specs.pbs import DatastoreName, NamespaceName, check_calendar
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.platform.cloud_server import CloudServerSpec, InsideSpec
from components.specs.workload import StorageName

Schedule = Annotated[str, AfterValidator(check_calendar)]
"""A calendar event as Proxmox writes it, such as ``daily`` or ``02:30``; in the server's time zone."""

Keep = Annotated[int, Field(ge=1, le=1000)]


class DatastoreSpec(Frozen):
    """Where backups are kept. ``gc_schedule`` is when chunks that no backup needs any more are removed."""

    name: DatastoreName = "main"
    path: Annotated[str, Field(pattern=r"^/mnt/[a-z0-9/-]+$")] = "/mnt/datastore/main"
    gc_schedule: Schedule = "daily"


class PruneSpec(Frozen):
    """Which backups of each guest are kept; each span counts those that the spans before it did not."""

    schedule: Schedule = "daily"
    keep_last: Keep | None = 3
    keep_daily: Keep | None = 7
    keep_weekly: Keep | None = 4
    keep_monthly: Keep | None = 6

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not self.kept:
            raise ValueError("keep something: without 'keep_last' and the like a prune job would keep everything")
        return self

    @property
    def kept(self) -> dict[str, int]:
        """The spans by the server's names."""
        spans = self.model_dump(exclude={"schedule"}, exclude_none=True)
        return {name.replace("_", "-"): number for name, number in spans.items()}


class VerifySpec(Frozen):
    """When backups are read back, and after how many days they are read again."""

    schedule: Schedule = "sat 18:15"
    outdated_after_days: Annotated[int, Field(ge=1, le=365)] = 30


class NodeBackupSpec(Frozen):
    """A node's backups.

    Attributes:
        namespace: its own; the node's name by default. Backups are grouped by VMID whatever the node
            (kdmukai's gist 6d312056), so two nodes never share one.
        schedule: when all of its guests are backed up.
        rotation: a higher number makes a new token for it.
    """

    name: Slug
    namespace: NamespaceName | None = None
    schedule: Schedule = "02:30"
    rotation: Annotated[int, Field(ge=1)] = 1

    @property
    def its_namespace(self) -> str:
        """The namespace, by whichever of the two names."""
        return self.namespace or self.name


class BackupSpec(PlatformSpec):
    """Proxmox Backup Server on a cloud server with a volume, and the nodes that write to it.

    Attributes:
        subnet: the network stack's, by name.
        inside: who reaches it, and how it reaches the world.
        volume_gib: of the datastore's volume.
        storage: what the storage is called on the nodes.
        protects_volume: whether Hetzner refuses to delete the volume until somebody takes the protection away.
    """

    server: CloudServerSpec
    subnet: Slug = "control"
    inside: InsideSpec
    volume_gib: Annotated[int, Field(ge=10, le=10_240)]
    datastore: DatastoreSpec = DatastoreSpec()
    prune: PruneSpec = PruneSpec()
    verify: VerifySpec = VerifySpec()
    storage: StorageName = "pbs"
    protects_volume: bool = True
    nodes: Annotated[tuple[NodeBackupSpec, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_its_own(self) -> Self:
        for what, values in (
            ("node", [node.name for node in self.nodes]),
            ("namespace", [node.its_namespace for node in self.nodes]),
        ):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"nodes: each {what} is there once; '{twice[0]}' is there twice")
        return self
