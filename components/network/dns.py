"""The A and AAAA records of one workload."""

from uuid import UUID

import pulumi
from pulumi_cloudflare import DnsRecord

from components.specs import DnsSpec, NetworkSpec
from components.specs.machine import MachineNetwork

TTL_SECONDS = 300
"""Short enough that an address change reaches players within minutes."""


class DnsRecords(pulumi.ComponentResource):
    """One A and one AAAA record, both naming the workload's order in their comment.

    The records are not proxied: game traffic is not HTTP, and a customer's SSH has to reach the guest itself.
    """

    fqdn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        spec: DnsSpec,
        *,
        network: NetworkSpec | MachineNetwork,
        order_id: UUID,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:network:DnsRecords", name, None, opts)
        addresses = {"A": network.ipv4.address, "AAAA": network.ipv6.address}
        records = [
            DnsRecord(
                f"{name}-{record_type.lower()}",
                zone_id=spec.zone_id,
                name=spec.fqdn,
                type=record_type,
                content=str(address),
                ttl=TTL_SECONDS,
                proxied=False,
                comment=f"order-{order_id}",
                # Cloudflare refuses a second record of the same name and content (pulumi/pulumi-cloudflare#325).
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
            for record_type, address in addresses.items()
        ]
        self.fqdn = records[0].name
        self.register_outputs({"fqdn": self.fqdn})
