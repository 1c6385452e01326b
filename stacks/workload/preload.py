"""Imports everything a workload's program needs, and nothing that starts a thread.

``import pulumi_cloudflare`` alone takes two seconds. A parent process that calls ``preload`` once can fork a child for
each engine operation, and the child starts with all of it in memory. That is safe only while no gRPC channel, and so
no thread of gRPC's, exists in the parent: importing this module and calling ``preload`` opens none.
"""

import pulumi_cloudflare
import pulumi_proxmoxve
import pulumi_proxmoxve.firewall
from pulumi import automation

from stacks.workload import program


def preload() -> tuple[str, ...]:
    """Make sure that the SDKs, the Automation API and the program are imported.

    Returns:
        the names of the modules that are now in memory.
    """
    modules = (automation, pulumi_cloudflare, pulumi_proxmoxve, pulumi_proxmoxve.firewall, program)
    return tuple(module.__name__ for module in modules)
