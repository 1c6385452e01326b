"""One Hetzner Cloud server with its addresses, network, firewalls and first boot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_project import CloudProject
from components.specs.platform import CloudServerSpec


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a server stands among; all ids as the provider gives them.

    Attributes:
        subnet_id: the subnet its private address is in. Nothing of a server is made before this is known: what holds
            its place against the network's plan belongs into this output.
        ssh_keys: ids or names.
        firewall_ids: of the firewalls before its public interface.
        placement_group_id: keeps it apart from the others of the group; None leaves that to Hetzner.
        project: what an earlier run, whose answer was lost, has made already; None takes nothing over.
    """

    subnet_id: pulumi.Input[str]
    ssh_keys: pulumi.Input[Sequence[str]] = ()
    firewall_ids: Sequence[pulumi.Input[str]] = ()
    placement_group_id: pulumi.Input[str] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    project: CloudProject | None = None

    def once_known(self, name: str) -> pulumi.Output[str]:
        """Return a thing's name, once it is known where the thing stands: it is not made before that."""
        return pulumi.Output.from_input(self.subnet_id).apply(lambda _: name)

    def there(self, kind: str, name: str) -> pulumi.ResourceOptions:
        """Return the options that take over a thing which is there already."""
        identity = self.project.identity(kind, name) if self.project is not None else None
        return pulumi.ResourceOptions(import_=identity)


class CloudServer(pulumi.ComponentResource):
    """A server that is reached by its private address, and by a public one only where its spec says so.

    ``user_data`` is cloud-init's and must hold no secret: Hetzner stores it, and every process on the server can read
    it. What a server was first booted with is not compared later: a change of image, key or user data would replace
    it, and is made by replacing it on purpose (https://github.com/pulumi/pulumi-hcloud/issues/170).
    """

    server_id: pulumi.Output[str]
    ipv4: pulumi.Output[str]
    """The public address; empty where it has none."""
    private_address: str

    def __init__(
        self,
        name: str,
        spec: CloudServerSpec,
        *,
        around: Surroundings,
        user_data: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:CloudServer", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.private_address = str(spec.private_address)
        address = self._address(name, spec, around)
        server = self._server(name, spec, around, user_data, address)
        self.server_id = server.id
        self.ipv4 = address.ip_address if address is not None else pulumi.Output.from_input("")
        if spec.has_public_ipv4:
            hcloud.ServerNetwork(
                name,
                server_id=server.id.apply(int),
                subnet_id=around.subnet_id,
                ip=self.private_address,
                opts=self._child,
            )
        if address is not None and spec.rdns is not None:
            hcloud.Rdns(
                name,
                primary_ip_id=address.id.apply(int),
                ip_address=address.ip_address,
                dns_ptr=spec.rdns,
                opts=self._child,
            )
        self.register_outputs({"server_id": self.server_id, "ipv4": self.ipv4})

    def _address(self, name: str, spec: CloudServerSpec, around: Surroundings) -> hcloud.PrimaryIp | None:
        """An address apart from the server, so that a rebuilt server keeps it."""
        if not spec.has_public_ipv4:
            return None
        return hcloud.PrimaryIp(
            name,
            name=around.once_known(spec.name),
            type="ipv4",
            location=spec.location,
            auto_delete=False,
            labels=dict(around.labels),
            opts=pulumi.ResourceOptions.merge(self._child, around.there("primary_ips", spec.name)),
        )

    def _server(
        self,
        name: str,
        spec: CloudServerSpec,
        around: Surroundings,
        user_data: pulumi.Input[str],
        address: hcloud.PrimaryIp | None,
    ) -> hcloud.Server:
        public = hcloud.ServerPublicNetArgs(
            ipv4_enabled=address is not None,
            ipv4=address.id.apply(int) if address is not None else None,
            ipv6_enabled=False,
        )
        group = around.placement_group_id
        once = pulumi.ResourceOptions(ignore_changes=["image", "ssh_keys", "user_data"])
        there = around.there("servers", spec.name)
        # Hetzner makes no server without any network, so one without a public address is made within its subnet. The
        # others are attached by a resource of its own: they could be moved without a new server.
        # Without its empty list of aliases each preview would show a change.
        inside = hcloud.ServerNetworkArgs(subnet_id=around.subnet_id, ip=self.private_address, alias_ips=[])
        return hcloud.Server(
            name,
            name=around.once_known(spec.name),
            server_type=spec.server_type,
            image=spec.image,
            location=spec.location,
            ssh_keys=around.ssh_keys,
            firewall_ids=[pulumi.Output.from_input(item).apply(int) for item in around.firewall_ids],
            placement_group_id=pulumi.Output.from_input(group).apply(int) if group is not None else None,
            public_nets=[public],
            networks=None if spec.has_public_ipv4 else [inside],
            user_data=user_data,
            labels=dict(around.labels),
            opts=pulumi.ResourceOptions.merge(pulumi.ResourceOptions.merge(self._child, once), there),
        )
