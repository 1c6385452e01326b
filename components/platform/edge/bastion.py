"""The bastion: the one cloud server that admins reach from outside, by WireGuard only."""

from dataclasses import replace

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_server import CloudServer, Surroundings
from components.platform.edge.bastion_boot import bastion_user_data
from components.platform.edge.wireguard import client_file, peers_file
from components.specs.platform.edge import BastionSpec


class Bastion(pulumi.ComponentResource):
    """A server that makes its own keys at its first boot.

    Peers are in its user data for that boot only. Later ones are brought to the running server, which is not replaced
    for it: ``peers`` is what ``slipway-vpn-peers`` there takes (docs/edge.md).
    """

    ipv4: pulumi.Output[str]
    private_address: str
    peers: str
    clients: pulumi.Output[dict[str, str]]
    """Each peer's own configuration, but for the keys."""

    def __init__(
        self,
        name: str,
        spec: BastionSpec,
        *,
        around: Surroundings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:Bastion", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        firewalls = [*around.firewall_ids]
        if spec.ssh_from:
            firewalls.append(self._first_ssh(name, spec, around).id)
        server = CloudServer(
            name,
            spec.server,
            around=replace(around, firewall_ids=firewalls, labels={**around.labels, "role": "bastion"}),
            user_data=bastion_user_data(spec),
            opts=child,
        )
        self.server = server
        self.ipv4, self.private_address = server.ipv4, server.private_address
        self.peers = peers_file(spec.vpn)
        self.clients = server.ipv4.apply(
            lambda address: {peer.name: client_file(spec.vpn, peer, address) for peer in spec.vpn.peers}
        )
        self.register_outputs({"ipv4": self.ipv4, "private_address": self.private_address})

    def _first_ssh(self, name: str, spec: BastionSpec, around: Surroundings) -> hcloud.Firewall:
        """Lets SSH in until the VPN is set up: taking ``ssh_from`` out of the configuration takes this away."""
        rule = hcloud.FirewallRuleArgs(
            direction="in",
            protocol="tcp",
            port="22",
            source_ips=[str(network) for network in spec.ssh_from],
            description="Until the VPN is set up",
        )
        return hcloud.Firewall(
            f"{name}-first-ssh",
            name=f"{spec.server.name}-first-ssh",
            rules=[rule],
            labels=dict(around.labels),
            opts=pulumi.ResourceOptions(parent=self),
        )
