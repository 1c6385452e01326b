"""The server that watches everything else, with the volume that holds what it saw."""

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_server import CloudServer, Surroundings
from components.platform.observability.first_boot import first_boot
from components.specs.platform.observability import ObservabilitySpec


class ObservabilityServer(pulumi.ComponentResource):
    """One server and one volume.

    The configuration of the day is in the first boot's user data, which is never compared later: a change of it is
    delivered to the running server (``docs/observability.md``), and neither replaces nor restarts it.
    """

    server: CloudServer

    def __init__(
        self,
        name: str,
        spec: ObservabilitySpec,
        *,
        around: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:ObservabilityServer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        volume = hcloud.Volume(
            name,
            name=f"{spec.server.name}-data",
            size=spec.volume_gib,
            location=spec.server.location,
            format="ext4",
            delete_protection=spec.protects_volume,
            labels=dict(around.labels),
            opts=child,
        )
        self.server = CloudServer(
            name,
            spec.server,
            around=around,
            user_data=volume.id.apply(lambda number: first_boot(spec, number)),
            opts=child,
        )
        hcloud.VolumeAttachment(
            name,
            volume_id=volume.id.apply(int),
            server_id=self.server.server_id.apply(int),
            automount=False,
            opts=child,
        )
        self.register_outputs({"server_id": self.server.server_id, "volume_id": volume.id})
