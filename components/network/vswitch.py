"""A Robot vSwitch: a VLAN between dedicated servers, and between them and a cloud network."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.robot.vswitch_provider import VSwitchProvider


class VSwitch(Resource, module="slipway", name="VSwitch"):
    """One vSwitch with exactly the servers given; the engine needs ``HETZNER_ROBOT_USER`` and ``_PASSWORD``.

    Args:
        label: the resource's name in the stack.
        name: at Robot. With the VLAN it is what tells this vSwitch from others: no two of one login share both.
        vlan: 4000 to 4091.
        servers: Robot's numbers of the servers on it.
    """

    name: pulumi.Output[str]
    vlan: pulumi.Output[int]
    servers: pulumi.Output[Sequence[int]]
    vswitch_id: pulumi.Output[int]
    """What a cloud network's subnet of the type ``vswitch`` names."""
    subnets: pulumi.Output[Sequence[Mapping[str, Any]]]
    cloud_networks: pulumi.Output[Sequence[Mapping[str, Any]]]

    def __init__(
        self,
        label: str,
        *,
        name: pulumi.Input[str],
        vlan: pulumi.Input[int],
        servers: pulumi.Input[Sequence[pulumi.Input[int]]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        outputs = dict.fromkeys(("vswitch_id", "subnets", "cloud_networks"))
        super().__init__(VSwitchProvider(), label, {"name": name, "vlan": vlan, "servers": servers, **outputs}, opts)
