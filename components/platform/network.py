"""The estate's private network at Hetzner Cloud, with its subnets and routes."""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi_hcloud as hcloud

from components.platform.cloud_project import CloudProject
from components.specs.platform.network import CloudNetworkSpec, RouteSpec, SubnetSpec

_ONE_AT_A_TIME = pulumi.ResourceOptions(delete_before_replace=True)
"""Names and ranges are taken as long as what has them is there."""


class CloudNetwork(pulumi.ComponentResource):
    """One network; each subnet and route a resource of its own, because the network knows them only as a whole.

    Args:
        project: what an earlier run has made already.
        vswitch_ids: Robot's number of each vSwitch by its name, for the subnets that join one.
    """

    network_id: pulumi.Output[str]
    subnet_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        spec: CloudNetworkSpec,
        *,
        project: CloudProject,
        vswitch_ids: Mapping[str, pulumi.Output[int]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:CloudNetwork", name, None, opts)
        self._child = pulumi.ResourceOptions.merge(pulumi.ResourceOptions(parent=self), _ONE_AT_A_TIME)
        self._label, self._spec = name, spec
        self._there = project.find("networks", spec.name) or {}
        network = hcloud.Network(
            name,
            name=spec.name,
            ip_range=str(spec.cidr),
            expose_routes_to_vswitch=spec.exposes_routes_to_vswitch,
            delete_protection=spec.protected,
            labels=project.labels,
            opts=self._taking_over(project.identity("networks", spec.name)),
        )
        self.network_id = network.id
        subnets = {item.name: self._subnet(network, item, vswitch_ids) for item in spec.subnets}
        self.subnet_ids = {label: subnet.id for label, subnet in subnets.items()}
        self.resources: list[pulumi.Resource] = [network, *subnets.values()]
        # A route's gateway has to be in a subnet that is there.
        after = pulumi.ResourceOptions(depends_on=list(subnets.values()))
        self.resources += [self._route(network, item, after) for item in spec.routes]
        self.register_outputs({"network_id": self.network_id, "subnet_ids": dict(self.subnet_ids)})

    def _subnet(
        self, network: hcloud.Network, subnet: SubnetSpec, vswitch_ids: Mapping[str, pulumi.Output[int]]
    ) -> hcloud.NetworkSubnet:
        cidr = str(subnet.cidr)
        joined = subnet.vswitch
        return hcloud.NetworkSubnet(
            f"{self._label}-{subnet.name}",
            network_id=network.id.apply(int),
            type="vswitch" if joined is not None else "cloud",
            network_zone=self._spec.zone,
            ip_range=cidr,
            vswitch_id=vswitch_ids[joined].apply(int) if joined is not None else None,
            opts=self._taking_over(self._identity("subnets", ip_range=cidr)),
        )

    def _route(self, network: hcloud.Network, route: RouteSpec, after: pulumi.ResourceOptions) -> hcloud.NetworkRoute:
        destination, gateway = str(route.destination), str(route.gateway)
        there = self._identity("routes", destination=destination, gateway=gateway)
        return hcloud.NetworkRoute(
            f"{self._label}-{destination}",
            network_id=network.id.apply(int),
            destination=destination,
            gateway=gateway,
            opts=pulumi.ResourceOptions.merge(self._taking_over(there), after),
        )

    def _identity(self, part: str, **wanted: str) -> str | None:
        """The plugin's id of a subnet or route that is there: the network's, and the first of what tells it."""
        if any(wanted.items() <= item.items() for item in self._parts(part)):
            return f"{self._there['id']}-{next(iter(wanted.values()))}"
        return None

    def _parts(self, part: str) -> Iterator[Mapping[str, Any]]:
        yield from self._there.get(part, ())

    def _taking_over(self, identity: str | None) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(import_=identity))
