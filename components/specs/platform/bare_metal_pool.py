"""The bare-metal pool's configuration: dedicated servers for customers."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.robot_firewall import RobotFirewallRules
from components.specs.robot_order import RobotOrderSpec
from components.specs.robot_server import Address, ReverseName
from components.specs.vswitch import ServerNumber


class PoolServerSpec(Frozen):
    """A server of the pool: its name at Robot, what its addresses resolve to, and the firewall before it."""

    name: Slug
    number: ServerNumber
    rdns: Mapping[Address, ReverseName] = {}
    firewall: Slug | None = None


class BareMetalPoolSpec(PlatformSpec):
    """Servers that are there, and orders of more.

    Attributes:
        site: where they stand, as Inventory knows it.
        firewalls: by name; a server names one of them.
    """

    site: Slug
    firewalls: Mapping[Slug, RobotFirewallRules] = {}
    servers: Annotated[tuple[PoolServerSpec, ...], Field(max_length=1000)] = ()
    orders: tuple[RobotOrderSpec, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        _refuse_twice("servers: the name", [server.name for server in self.servers])
        _refuse_twice("servers: the number", [str(server.number) for server in self.servers])
        _refuse_twice("servers: the address", [address for server in self.servers for address in server.rdns])
        _refuse_twice("orders: the reference", [order.reference for order in self.orders])
        for server in self.servers:
            if server.firewall is not None and server.firewall not in self.firewalls:
                known = ", ".join(self.firewalls) or "none"
                raise ValueError(f"servers: '{server.name}' names the firewall '{server.firewall}'; there is {known}")
        return self


def _refuse_twice(what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{what} '{twice[0]}' is given twice")
