"""The servers of the control plane, those of one role kept apart from each other."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_server import CloudServer, Surroundings
from components.platform.control_plane.cloud_init import first_boot
from components.specs.platform.control_plane import ControlPlaneSpec, Role


class ControlPlane(pulumi.ComponentResource):
    """API servers, workers, PostgreSQL and Redis.

    Args:
        around: where all of them are; its firewalls stand before those with a public address.
    """

    servers: Mapping[str, CloudServer]

    def __init__(
        self,
        name: str,
        spec: ControlPlaneSpec,
        *,
        around: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:ControlPlane", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        groups = {role: self._group(f"{name}-{role.value}", around) for role in Role}
        self.servers = {
            server.name: CloudServer(
                server.name,
                server,
                around=Surroundings(
                    subnet_id=around.subnet_id,
                    ssh_keys=around.ssh_keys,
                    firewall_ids=around.firewall_ids if server.has_public_ipv4 else (),
                    placement_group_id=groups[role].id,
                    labels={**around.labels, "role": role.value},
                    project=around.project,
                ),
                user_data=first_boot(spec, role, server),
                opts=child,
            )
            for _, role, server in spec.servers()
        }
        self.resources: Sequence[pulumi.Resource] = list(self.servers.values())
        self.register_outputs({"servers": {label: server.server_id for label, server in self.servers.items()}})

    def _group(self, name: str, around: Surroundings) -> hcloud.PlacementGroup:
        return hcloud.PlacementGroup(
            name,
            # Like a server, not before its place is known: a group for servers that are refused would be left.
            name=around.once_known(name),
            type="spread",
            labels=dict(around.labels),
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(parent=self, delete_before_replace=True), around.there("placement_groups", name)
            ),
        )
