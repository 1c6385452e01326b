"""An SSH key that Robot knows."""

import pulumi
from pulumi.dynamic import Resource

from components.robot.key_provider import RobotKeyProvider


class RobotKey(Resource, module="slipway", name="RobotKey"):
    """A public key that rescue systems and installations let in where they are told its fingerprint.

    Args:
        label: the resource's name in the stack.
        name: at Robot.
        data: the public half, in OpenSSH's form.
    """

    name: pulumi.Output[str]
    data: pulumi.Output[str]
    fingerprint: pulumi.Output[str]

    def __init__(
        self,
        label: str,
        *,
        name: pulumi.Input[str],
        data: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(RobotKeyProvider(), label, {"name": name, "data": data, "fingerprint": None}, opts)
