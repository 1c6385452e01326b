"""The observability stack: one server that measures, keeps and shows everything."""

from ipaddress import IPv4Network

import pulumi

from components.platform.cloud_server import Surroundings
from components.platform.observability_server import ObservabilityServer
from components.specs.platform import HostReport, PlatformKind
from components.specs.platform.observability import ObservabilitySpec
from stacks.platform.program import Declared, Estate


class ObservabilityProgram:
    """Stands in the network stack's network, and needs nothing else to be there: what it watches it asks Inventory."""

    def __init__(self, spec: ObservabilitySpec, estate: Estate) -> None:
        self._spec = spec
        self._estate = estate

    def declare(self) -> Declared:
        """Declare the server and its volume."""
        spec = self._spec
        subnet = self._estate.output(PlatformKind.NETWORK, "subnets").apply(lambda subnets: _subnet(subnets, spec))
        around = Surroundings(
            subnet_id=subnet,
            ssh_keys=self._estate.output(PlatformKind.NETWORK, "ssh_keys"),
            labels=self._estate.labels,
        )
        made = ObservabilityServer("observability", spec, around=around)
        address, ports = spec.server.private_address, spec.ports
        urls = {
            "grafana": str(spec.grafana.url),
            "prometheus": f"http://{address}:{ports.prometheus}",
            "alertmanager": f"http://{address}:{ports.alertmanager}",
            "loki": f"http://{address}:{ports.loki}",
        }
        host = HostReport(
            name=spec.server.name, role="observability", address=str(address), exporters={"node": ports.node}
        )
        return Declared(
            outputs={"urls": urls, "server_id": made.server.server_id},
            report={"hosts": [host.model_dump(mode="json")]},
            resources=(made,),
        )


def _subnet(subnets: dict[str, dict[str, str]], spec: ObservabilitySpec) -> str:
    """The id of the spec's subnet.

    Raises:
        pulumi.RunError: if the network stack has no such subnet, or the server's address is not in it.
    """
    if spec.subnet not in subnets:
        known = ", ".join(sorted(subnets)) or "none"
        raise pulumi.RunError(f"slipway:spec.subnet: the network stack has no subnet '{spec.subnet}'; it has {known}")
    subnet, address = subnets[spec.subnet], spec.server.private_address
    if address not in IPv4Network(subnet["cidr"]):
        raise pulumi.RunError(
            f"slipway:spec.server.private_address: {address} is not in the subnet '{spec.subnet}' ({subnet['cidr']})"
        )
    return subnet["id"]
