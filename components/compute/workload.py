"""What every ordered thing has around it, whichever kind it is of."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from components.network.dns import DnsRecords
from components.network.firewall import Guest, GuestFirewall
from components.specs import BareMetalSpec, GuestSpec

AnyWorkloadSpec = GuestSpec | BareMetalSpec


class Workload(pulumi.ComponentResource):
    """All that one order bought: a guest of a node or a machine of its own, and its DNS records.

    The records wait for nothing: they are made while the guest is cloned or unpacked, or the machine installed.

    Attributes:
        outputs: what the stack tells the rest of Slipway, plain JSON values by name.
    """

    fqdn: pulumi.Output[str]
    hostname: pulumi.Output[str]
    ipv4: pulumi.Output[str]
    ipv6: pulumi.Output[str]

    def __init__(
        self, type_token: str, name: str, spec: AnyWorkloadSpec, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(type_token, name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        records = DnsRecords(f"{name}-dns", spec.dns, network=spec.network, order_id=spec.order_id, opts=child)
        self.fqdn = records.fqdn
        self.hostname = pulumi.Output.from_input(spec.hostname)
        self.ipv4 = pulumi.Output.from_input(str(spec.network.ipv4.address))
        self.ipv6 = pulumi.Output.from_input(str(spec.network.ipv6.address))

    @property
    def outputs(self) -> Mapping[str, pulumi.Output[Any]]:
        """The stack outputs of this workload by name."""
        return {"fqdn": self.fqdn, "hostname": self.hostname, "ipv4": self.ipv4, "ipv6": self.ipv6}


class GuestWorkload(Workload):
    """A guest of a node, with its firewall.

    Attributes:
        vmid: the guest's id, known only once the guest is there.
    """

    vmid: pulumi.Output[int]
    node: pulumi.Output[str]

    def __init__(
        self,
        type_token: str,
        name: str,
        spec: GuestSpec,
        make_guest: Callable[[pulumi.ResourceOptions], Guest],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(type_token, name, spec, opts=opts)
        # A guest that is rebuilt with consent keeps its VMID, which is taken while the old one lives.
        guest = make_guest(pulumi.ResourceOptions(parent=self, delete_before_replace=True))
        GuestFirewall(f"{name}-firewall", spec.network, guest=guest, opts=pulumi.ResourceOptions(parent=self))
        self.vmid = guest.vmid
        self.node = guest.node_name
        self.register_outputs(dict(self.outputs))

    @property
    def outputs(self) -> Mapping[str, pulumi.Output[Any]]:
        """The stack outputs of this workload by name."""
        return {"vmid": self.vmid, "node": self.node, **super().outputs}
