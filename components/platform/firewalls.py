"""The estate's firewalls before public addresses, and the keys that open new servers."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_project import CloudProject
from components.specs.platform.network import FirewallRuleSpec, FirewallSpec, SshKeySpec


class Access(pulumi.ComponentResource):
    """Who reaches the estate's cloud servers from outside: firewalls by name, and SSH keys.

    Args:
        project: what an earlier run has made already.
    """

    firewall_ids: Mapping[str, pulumi.Output[str]]
    ssh_key_ids: Sequence[pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        firewalls: Sequence[FirewallSpec],
        ssh_keys: Sequence[SshKeySpec],
        project: CloudProject,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:Access", name, None, opts)
        self._project = project
        made = {item.name: self._firewall(item) for item in firewalls}
        keys = [self._key(item) for item in ssh_keys]
        self.firewall_ids = {label: firewall.id for label, firewall in made.items()}
        self.ssh_key_ids = [key.id for key in keys]
        self.resources: list[pulumi.Resource] = [*made.values(), *keys]
        self.register_outputs({"firewall_ids": dict(self.firewall_ids), "ssh_key_ids": list(self.ssh_key_ids)})

    def _firewall(self, spec: FirewallSpec) -> hcloud.Firewall:
        return hcloud.Firewall(
            spec.name,
            name=spec.name,
            rules=[_rule(item) for item in spec.rules],
            labels=self._project.labels,
            opts=self._options("firewalls", spec.name),
        )

    def _key(self, spec: SshKeySpec) -> hcloud.SshKey:
        return hcloud.SshKey(
            spec.name,
            name=spec.name,
            public_key=spec.public_key,
            labels=self._project.labels,
            opts=self._options("ssh_keys", spec.name),
        )

    def _options(self, kind: str, name: str) -> pulumi.ResourceOptions:
        there = self._project.identity(kind, name)
        return pulumi.ResourceOptions(parent=self, delete_before_replace=True, import_=there)


def _rule(spec: FirewallRuleSpec) -> hcloud.FirewallRuleArgs:
    return hcloud.FirewallRuleArgs(
        direction="in",
        protocol=spec.protocol,
        port=spec.ports,
        source_ips=[str(source) for source in spec.sources],
        description=spec.description,
    )
