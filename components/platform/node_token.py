"""The control plane's token for a node, which is in no state."""

from collections.abc import Sequence

import pulumi
from pulumi.dynamic import Resource

from components.pve_access.provider import OUTPUT, NodeAccessProvider
from components.specs.platform.node_access import NodeAccessSpec


class NodeAccess(Resource, module="slipway", name="NodeAccess"):
    """A token that is made on the node and deposited with the control plane in one step.

    The engine needs ``PROXMOX_VE_PASSWORD_<NODE>``, ``SLIPWAY_INVENTORY_URL`` and ``SLIPWAY_INVENTORY_TOKEN``.
    """

    token_id: pulumi.Output[str]
    """``user@realm!name``, without the secret."""

    def __init__(
        self, label: str, spec: NodeAccessSpec, *, after: Sequence[pulumi.Resource], opts: pulumi.ResourceOptions
    ) -> None:
        inputs = {**spec.model_dump(mode="json"), OUTPUT: None}
        waits = pulumi.ResourceOptions(depends_on=list(after))
        super().__init__(NodeAccessProvider(), label, inputs, pulumi.ResourceOptions.merge(opts, waits))
