"""An order of a dedicated server."""

import pulumi
from pulumi.dynamic import Resource

from components.robot.order_provider import RobotOrderProvider
from components.specs.robot_order import RobotOrderSpec


class RobotOrder(Resource, module="slipway", name="RobotOrder"):
    """One order, placed at most once, and only where it is approved; by default it is only checked.

    Args:
        label: the resource's name in the stack.
        spec: what is ordered, and who has approved it.
    """

    transaction: pulumi.Output[str]
    status: pulumi.Output[str]
    server_number: pulumi.Output[int]
    """Of the delivered server; 0 until a refresh has found it delivered."""
    address: pulumi.Output[str]

    def __init__(self, label: str, spec: RobotOrderSpec, *, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("transaction", "status", "server_number", "address"))
        super().__init__(RobotOrderProvider(), label, {**spec.model_dump(mode="json"), **outputs}, opts)
