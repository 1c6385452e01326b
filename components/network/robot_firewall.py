"""The firewall at a dedicated server's switch port."""

import pulumi
from pulumi.dynamic import Resource

from components.robot.firewall_provider import RobotFirewallProvider
from components.specs.robot_firewall import RobotFirewallRules


class RobotFirewall(Resource, module="slipway", name="RobotFirewall"):
    """Exactly these rules before one server.

    Args:
        label: the resource's name in the stack.
        number: Robot's number of the server.
        rules: what is let through.
    """

    number: pulumi.Output[int]
    is_active: pulumi.Output[bool]

    def __init__(
        self,
        label: str,
        *,
        number: pulumi.Input[int],
        rules: RobotFirewallRules,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(RobotFirewallProvider(), label, {"number": number, **rules.model_dump(mode="json")}, opts)
