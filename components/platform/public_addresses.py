"""Public addresses that outlive the servers which have them, and what they resolve to."""

import ipaddress
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_project import CloudProject
from components.specs.platform.network import PublicAddressSpec


class PublicAddresses(pulumi.ComponentResource):
    """Primary IPs, which a server has as its own, and floating IPs, which move from server to server.

    Args:
        project: what an earlier run has made already.
    """

    primary: Mapping[str, hcloud.PrimaryIp]
    floating: Mapping[str, hcloud.FloatingIp]

    def __init__(
        self,
        name: str,
        *,
        primary: Sequence[PublicAddressSpec],
        floating: Sequence[PublicAddressSpec],
        project: CloudProject,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:PublicAddresses", name, None, opts)
        self._project = project
        self.primary = {item.name: self._primary(item) for item in primary}
        self.floating = {item.name: self._floating(item) for item in floating}
        self.resources: list[pulumi.Resource] = [*self.primary.values(), *self.floating.values()]
        self.register_outputs({})

    def _primary(self, spec: PublicAddressSpec) -> hcloud.PrimaryIp:
        made = hcloud.PrimaryIp(
            spec.name,
            name=spec.name,
            type=f"ipv{spec.family}",
            location=spec.location,
            auto_delete=False,
            delete_protection=spec.protected,
            labels=self._project.labels,
            opts=self._options("primary_ips", spec.name),
        )
        self._resolve(spec, made.ip_address, primary_ip_id=made.id.apply(int))
        return made

    def _floating(self, spec: PublicAddressSpec) -> hcloud.FloatingIp:
        made = hcloud.FloatingIp(
            spec.name,
            name=spec.name,
            type=f"ipv{spec.family}",
            home_location=spec.location,
            delete_protection=spec.protected,
            labels=self._project.labels,
            opts=self._options("floating_ips", spec.name),
        )
        self._resolve(spec, made.ip_address, floating_ip_id=made.id.apply(int))
        return made

    def _resolve(self, spec: PublicAddressSpec, address: pulumi.Output[str], **owner: pulumi.Output[int]) -> None:
        if spec.rdns is not None:
            hcloud.Rdns(
                spec.name,
                ip_address=address.apply(first_address),
                dns_ptr=spec.rdns,
                opts=pulumi.ResourceOptions(parent=self),
                **owner,
            )

    def _options(self, kind: str, name: str) -> pulumi.ResourceOptions:
        there = self._project.identity(kind, name)
        return pulumi.ResourceOptions(parent=self, delete_before_replace=True, import_=there)


def first_address(given: str) -> str:
    """Return the address that a server answers at: of an IPv6 network, which is what Hetzner gives, the first.

    >>> first_address("2001:db8:1::")
    '2001:db8:1::1'
    >>> first_address("192.0.2.7")
    '192.0.2.7'
    """
    address = ipaddress.ip_address(given)
    return str(address + 1) if address.version == 6 else given  # noqa: PLR2004 - the IP version
