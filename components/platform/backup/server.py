"""The machine that Proxmox Backup Server runs on."""

import pulumi
import pulumi_hcloud as hcloud

from components.platform.backup.cloud_init import first_boot
from components.platform.cloud_server import CloudServer, Surroundings
from components.specs.platform.backup import BackupSpec


class BackupServer(pulumi.ComponentResource):
    """A cloud server without a public address, and a volume that outlives it for the datastore.

    The volume is protected against deletion at Hetzner: ``pulumi destroy`` says so, and whoever means it takes the
    protection away first.
    """

    server: CloudServer

    def __init__(
        self, name: str, spec: BackupSpec, *, around: Surroundings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:platform:BackupServer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        volume = hcloud.Volume(
            name,
            name=f"{spec.server.name}-datastore",
            size=spec.volume_gib,
            location=spec.server.location,
            format="ext4",
            delete_protection=spec.protects_volume,
            labels=dict(around.labels),
            opts=pulumi.ResourceOptions.merge(child, around.there("volumes", f"{spec.server.name}-datastore")),
        )
        user_data = volume.id.apply(lambda number: first_boot(spec, number))
        self.server = CloudServer(name, spec.server, around=around, user_data=user_data, opts=child)
        hcloud.VolumeAttachment(
            name,
            volume_id=volume.id.apply(int),
            server_id=self.server.server_id.apply(int),
            automount=False,  # cloud-init mounts it where the datastore is
            opts=child,
        )
        self.register_outputs({})
