"""A dedicated server that is a Proxmox VE node."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.installation.provider import NodeInstallationProvider
from components.specs.platform.installation import InstallationSpec


class NodeInstallation(Resource, module="slipway", name="NodeInstallation"):
    """Proxmox VE on a server, installed once.

    The engine needs Robot's login, ``SLIPWAY_RESCUE_SSH_KEY`` and ``PROXMOX_VE_PASSWORD_<NODE>`` in its environment.

    Args:
        label: the resource's name in the stack.
        spec: the server and its profile.
        rescue_key: the fingerprint under which Robot knows our key.
    """

    number: pulumi.Output[int]
    address: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    """Of the node's API."""
    installed_profile: pulumi.Output[Mapping[str, Any]]
    """What it was installed with by us; empty where Proxmox VE was there already."""
    is_as_described: pulumi.Output[bool]
    """False where the profile was changed since: it says what the next installation is made with."""

    def __init__(
        self,
        label: str,
        spec: InstallationSpec,
        *,
        rescue_key: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        outputs = dict.fromkeys(("address", "endpoint", "installed_profile", "is_as_described"))
        inputs = {**spec.model_dump(mode="json"), "rescue_key": rescue_key}
        super().__init__(NodeInstallationProvider(), label, {**inputs, **outputs}, opts)
