"""The provider of one Proxmox VE node. Independent nodes: one provider each."""

import pulumi
import pulumi_proxmoxve as proxmox

from components.specs.platform import credential_variable

ROOT = "root@pam"
"""Who the platform stacks are on a node. Users, roles and realms are root's own to make (pve-manager's API)."""


def node_provider(
    name: str,
    *,
    endpoint: pulumi.Input[str],
    verify_tls: pulumi.Input[bool] = True,
    opts: pulumi.ResourceOptions | None = None,
) -> proxmox.Provider:
    """Return the provider of a node; its password comes from the environment's ``PROXMOX_VE_PASSWORD_<NODE>``.

    The engine hands the variable to this provider's own process under the name that the plugin reads, so that the
    password is no input of a resource and in no state.

    Args:
        name: the node's.
        endpoint: ``https://host:8006``.
        verify_tls: whether the node's certificate is verified.
        opts: of the provider.
    """
    mapped = {credential_variable("PROXMOX_VE_PASSWORD", name): "PROXMOX_VE_PASSWORD"}
    return proxmox.Provider(
        name,
        endpoint=endpoint,
        username=ROOT,
        insecure=pulumi.Output.from_input(verify_tls).apply(lambda verified: not verified),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(env_var_mappings=mapped)),
    )
