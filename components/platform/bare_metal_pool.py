"""Dedicated servers for customers, as they stand in the data centre."""

from typing import Any

import pulumi

from components.network.robot_firewall import RobotFirewall
from components.network.robot_order import RobotOrder
from components.network.robot_server import RobotServer
from components.specs.platform.bare_metal_pool import BareMetalPoolSpec, PoolServerSpec


class BareMetalPool(pulumi.ComponentResource):
    """Names, reverse DNS and firewalls of the pool's servers. What is on their drives is the customers'."""

    servers: dict[str, RobotServer]
    orders: dict[str, RobotOrder]

    def __init__(self, name: str, spec: BareMetalPoolSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:platform:BareMetalPool", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self._site = spec.site
        self.servers = {server.name: self._server(server, spec) for server in spec.servers}
        self.orders = {order.reference: RobotOrder(order.reference, order, opts=child) for order in spec.orders}
        self.register_outputs({"servers": self.outputs()})

    def _server(self, server: PoolServerSpec, spec: BareMetalPoolSpec) -> RobotServer:
        child = pulumi.ResourceOptions(parent=self)
        made = RobotServer(server.name, number=server.number, name=server.name, rdns=dict(server.rdns), opts=child)
        if server.firewall is not None:
            RobotFirewall(server.name, number=server.number, rules=spec.firewalls[server.firewall], opts=child)
        return made

    def outputs(self) -> dict[str, Any]:
        """``{name: {number, address}}``, for other stacks."""
        return {name: {"number": made.number, "address": made.address} for name, made in self.servers.items()}

    def report(self) -> list[dict[str, Any]]:
        """Each server as Inventory is told it."""
        return [
            {
                "name": name,
                "number": made.number,
                "site": self._site,
                "product": made.product,
                "datacenter": made.datacenter,
                "address": made.address,
                "network": made.network,
            }
            for name, made in self.servers.items()
        ]
