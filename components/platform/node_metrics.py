"""Where a node's Proxmox VE pushes its numbers to."""

import pulumi
from pulumi_proxmoxve import metrics

from components.specs.platform.nodes import MetricServerSpec


def declare_metric_server(node: str, spec: MetricServerSpec, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Declare one of a node's metric servers."""
    made: pulumi.Resource = metrics.Server(
        f"{node}-{spec.name}", name=spec.name, type=spec.kind, server=spec.server, port=spec.port, opts=opts
    )
    return made
