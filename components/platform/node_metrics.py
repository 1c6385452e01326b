"""Where a node's Proxmox VE pushes its numbers to."""

import pulumi
from pulumi_proxmoxve import metrics

from components.platform.node_things import NodeThings
from components.specs.platform.nodes import MetricServerSpec


def declare_metric_server(
    node: str, spec: MetricServerSpec, there: NodeThings, opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    """Declare one of a node's metric servers."""
    wanted = {"type": spec.kind, "server": spec.server, "port": spec.port}
    taken = there.take_over("metric server", spec.name, wanted, opts)
    made: pulumi.Resource = metrics.Server(
        f"{node}-{spec.name}", name=spec.name, type=spec.kind, server=spec.server, port=spec.port, opts=taken
    )
    return made
