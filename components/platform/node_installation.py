"""Dedicated servers that are Proxmox VE nodes before anything is made on them."""

import os
from collections.abc import Sequence

import pulumi

from components.installation.node_installation import NodeInstallation
from components.installation.settings import rescue_key
from components.installation.shell import public_half
from components.network.robot_key import RobotKey
from components.network.robot_server import RobotServer
from components.specs.platform.installation import InstallationSpec


class InstalledNodes(pulumi.ComponentResource):
    """Each server has its name at Robot and Proxmox VE on it; our key for rescue systems is known there.

    A provider of a node takes ``endpoints[name]``, so that it waits until the node answers.

    Raises:
        InstallationError: ``SLIPWAY_RESCUE_SSH_KEY`` is not set, or is no private key.
    """

    installations: dict[str, NodeInstallation]
    endpoints: dict[str, pulumi.Output[str]]
    """Of each node's API, by the node's name."""

    def __init__(
        self, name: str, specs: Sequence[InstallationSpec], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("slipway:platform:InstalledNodes", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        key = RobotKey(name, name=f"slipway {name}", data=public_half(rescue_key(os.environ)), opts=child)
        self.installations = {}
        for spec in specs:
            server = RobotServer(spec.name, number=spec.number, name=spec.name, opts=child)
            self.installations[spec.name] = NodeInstallation(
                spec.name,
                spec,
                rescue_key=key.fingerprint,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[server]),
            )
        self.endpoints = {name: made.endpoint for name, made in self.installations.items()}
        self.register_outputs({"endpoints": self.endpoints})
