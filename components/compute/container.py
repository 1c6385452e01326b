"""What game servers and bots have in common: an unprivileged container with static addresses."""

import shlex

import pulumi
import pulumi_proxmoxve as proxmox

from components.network.firewall import Guest
from components.specs import ContainerSpec

INTERFACE = "eth0"

CREATE_SECONDS = 600
KILL_RESERVE_SECONDS = 5
"""The provider asks Proxmox VE to kill a container this long before its own ``timeout_delete`` ends."""


def make_container(name: str, spec: ContainerSpec, stop_seconds: int, opts: pulumi.ResourceOptions) -> Guest:
    """Declare the container of ``spec``.

    The template and the SSH keys are used at creation only: both would rebuild the container, and with it the
    customer's data, when they change.

    Args:
        name: the resource's logical name.
        spec: what was ordered.
        stop_seconds: how long the program inside may take to end before it is killed.
        opts: parent and the like.
    """
    container = proxmox.ContainerLegacy(
        name,
        node_name=spec.placement.node,
        vm_id=spec.placement.vmid,
        tags=list(spec.tags),
        operating_system=proxmox.ContainerLegacyOperatingSystemArgs(
            template_file_id=spec.template_volume,
            type=spec.os_type.value,
        ),
        unprivileged=True,
        features=proxmox.ContainerLegacyFeaturesArgs(nesting=True),  # systemd inside needs it
        cpu=proxmox.ContainerLegacyCpuArgs(cores=spec.resources.cores),
        memory=proxmox.ContainerLegacyMemoryArgs(dedicated=spec.resources.memory_mib, swap=0),
        disk=proxmox.ContainerLegacyDiskArgs(datastore_id=spec.placement.storage, size=spec.resources.disk_gib),
        network_interfaces=[
            proxmox.ContainerLegacyNetworkInterfaceArgs(
                name=INTERFACE,
                bridge=spec.network.bridge,
                mac_address=spec.network.mac,
                firewall=True,
                # Without an init of its own, nothing inside configures the interface (Proxmox VE 9.1 and later).
                host_managed=bool(spec.start_command),
            )
        ],
        initialization=_initialization(spec),
        environment_variables=spec.environment or None,
        started=spec.started,
        start_on_boot=spec.started,  # a stopped or suspended container stays off when its node restarts
        timeout_create=CREATE_SECONDS,
        timeout_delete=stop_seconds + KILL_RESERVE_SECONDS,
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=["operatingSystem", "initialization.userAccount"])
        ),
    )
    return Guest(resource=container, node_name=container.node_name, container_id=container.vm_id)


def _initialization(spec: ContainerSpec) -> proxmox.ContainerLegacyInitializationArgs:
    network = spec.network
    keys = list(spec.ssh_keys)
    return proxmox.ContainerLegacyInitializationArgs(
        hostname=spec.hostname,
        entrypoint=shlex.join(spec.start_command) if spec.start_command else None,
        user_account=proxmox.ContainerLegacyInitializationUserAccountArgs(keys=keys) if keys else None,
        ip_configs=[
            proxmox.ContainerLegacyInitializationIpConfigArgs(
                ipv4=proxmox.ContainerLegacyInitializationIpConfigIpv4Args(
                    address=f"{network.ipv4.address}/{network.ipv4.prefix_length}",
                    gateway=str(network.ipv4.gateway),
                ),
                ipv6=proxmox.ContainerLegacyInitializationIpConfigIpv6Args(
                    address=f"{network.ipv6.address}/{network.ipv6.network.prefixlen}",
                    gateway=str(network.ipv6.gateway),
                ),
            )
        ],
        dns=proxmox.ContainerLegacyInitializationDnsArgs(
            domain=spec.dns.zone_name,
            servers=[str(server) for server in network.nameservers] or None,
        ),
    )
