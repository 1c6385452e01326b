"""One node's backups: its way to its namespace, and the job that uses it."""

import pulumi
import pulumi_proxmoxve as proxmox
from pulumi_proxmoxve import backup

from components.platform.backup.resources import BackupTarget, TargetArgs
from components.specs.platform.backup import NodeBackupSpec

JOB = "slipway-backup"


class NodeBackup(pulumi.ComponentResource):
    """A storage of the type ``pbs`` on the node, and a job that backs up every guest of it."""

    def __init__(
        self,
        name: str,
        spec: NodeBackupSpec,
        *,
        target: TargetArgs,
        provider: proxmox.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:NodeBackup", name, None, opts)
        storage = BackupTarget(name, target, opts=pulumi.ResourceOptions(parent=self))
        backup.Job(
            name,
            resource_id=JOB,
            schedule=spec.schedule,
            storage=storage.storage,
            all=True,
            mode="snapshot",
            enabled=True,
            repeat_missed=True,
            notes_template="{{guestname}} on {{node}}",
            opts=pulumi.ResourceOptions(parent=self, provider=provider),
        )
        self.register_outputs({})
