"""The bare-metal pool's configuration: dedicated servers for customers."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.platform.machines import MachineReport, PoolMachineSpec, machine_problems
from components.specs.platform.problems import refuse
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
        machines: what is sold as whole machines; nothing is made of them here, Inventory is told.
    """

    site: Slug
    firewalls: Mapping[Slug, RobotFirewallRules] = {}
    servers: Annotated[tuple[PoolServerSpec, ...], Field(max_length=1000)] = ()
    orders: tuple[RobotOrderSpec, ...] = ()
    machines: Annotated[tuple[PoolMachineSpec, ...], Field(max_length=5000)] = ()

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
        refuse(machine_problems(self.machines, [server.name for server in self.servers]))
        return self

    def machine_reports(self) -> list[dict[str, Any]]:
        """Return each machine as Inventory is told it."""
        numbers = {server.name: server.number for server in self.servers}
        return [
            MachineReport.model_validate(
                {
                    **machine.model_dump(exclude={"server", "macs"}),
                    "site": self.site,
                    "macs": machine.all_macs,
                    "server_number": None if machine.server is None else numbers[machine.server],
                }
            ).model_dump(mode="json")
            for machine in self.machines
        ]


def _refuse_twice(what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{what} '{twice[0]}' is given twice")
