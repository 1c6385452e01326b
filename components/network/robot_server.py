"""What a dedicated server and its addresses are called."""

from collections.abc import Mapping

import pulumi
from pulumi.dynamic import Resource

from components.robot.server_provider import RobotServerProvider


class RobotServer(Resource, module="slipway", name="RobotServer"):
    """Name and reverse DNS of a server that Robot has already; it is neither ordered nor cancelled by this.

    Args:
        label: the resource's name in the stack.
        number: Robot's number of the server.
        name: in Robot's list.
        rdns: what its addresses resolve to, by address; other addresses are left alone.
    """

    number: pulumi.Output[int]
    name: pulumi.Output[str]
    rdns: pulumi.Output[Mapping[str, str]]
    address: pulumi.Output[str]
    network: pulumi.Output[str]
    product: pulumi.Output[str]
    datacenter: pulumi.Output[str]

    def __init__(
        self,
        label: str,
        *,
        number: pulumi.Input[int],
        name: pulumi.Input[str],
        rdns: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        outputs = dict.fromkeys(("address", "network", "product", "datacenter"))
        inputs = {"number": number, "name": name, "rdns": rdns if rdns is not None else {}}
        super().__init__(RobotServerProvider(), label, {**inputs, **outputs}, opts)
