"""The control plane stack: the servers on which Slipway itself runs, on top of the network stack."""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from components.platform.cloud_project import CloudProject
from components.platform.cloud_server import Surroundings
from components.platform.control_plane.cloud_init import EXPORTERS
from components.platform.control_plane.servers import ControlPlane
from components.specs.platform import HostReport, PlatformKind
from components.specs.platform.control_plane import ControlPlaneSpec
from stacks.platform.program import Declared, Estate


class ControlPlaneProgram:
    """Declares the servers of API, workers, PostgreSQL and Redis.

    Args:
        spec: which servers, and what they install.
        estate: whose they are; its network stack has to be up.
        project: what is there already; None asks Hetzner.
    """

    def __init__(self, spec: ControlPlaneSpec, estate: Estate, project: CloudProject | None = None) -> None:
        self._spec, self._estate, self._project = spec, estate, project

    def declare(self) -> Declared:
        """Declare everything; there is no waiting for what the servers do at their first boot."""
        spec, estate = self._spec, self._estate
        labels = {**estate.labels, "stack": PlatformKind.CONTROL_PLANE.value}
        known = pulumi.Output.all(
            subnets=estate.output(PlatformKind.NETWORK, "subnets"),
            firewalls=estate.output(PlatformKind.NETWORK, "firewalls"),
        ).apply(self._chosen)
        around = Surroundings(
            subnet_id=known["subnet_id"],
            ssh_keys=estate.output(PlatformKind.NETWORK, "ssh_keys"),
            firewall_ids=[known["firewall_id"]] if spec.firewall is not None else [],
            labels=labels,
            project=self._project or CloudProject.of_environment(labels),
        )
        made = ControlPlane(f"{estate.name}-control", spec, around=around)
        servers = {
            server.name: {
                "id": made.servers[server.name].server_id,
                "private_address": str(server.private_address),
                "role": role.value,
            }
            for _, role, server in spec.servers()
        }
        return Declared(
            outputs={"servers": servers},
            report={"hosts": [host.model_dump(mode="json") for host in hosts(spec)]},
            resources=made.resources,
        )

    def _chosen(self, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The names of this stack's configuration as ids of the network stack; one wrong name stops every server."""
        spec = self._spec
        firewall = named(known["firewalls"], spec.firewall, "firewall") if spec.firewall is not None else ""
        return {"subnet_id": named(known["subnets"], spec.subnet, "subnet")["id"], "firewall_id": firewall}


def hosts(spec: ControlPlaneSpec) -> Iterator[HostReport]:
    """The machines that Prometheus asks."""
    for _, role, server in spec.servers():
        address = str(server.private_address)
        yield HostReport(name=server.name, role=role.value, address=address, exporters=dict(EXPORTERS[role]))


def named(known: Mapping[str, Any], name: str, what: str) -> Any:
    """Return what the network stack has made under a name.

    Raises:
        pulumi.RunError: naming those that there are.
    """
    if name not in known:
        raise pulumi.RunError(f"the network stack has no {what} '{name}'; it has: {', '.join(sorted(known)) or 'none'}")
    return known[name]
