"""A customer's virtual machine: a full clone of a template, set up once by cloud-init.

``VmLegacy`` is the resource that the provider's own documentation recommends for production; ``Vm`` is marked "do
not use" and ``cloned.Vm`` has no cloud-init.
"""

from functools import partial

import pulumi
import pulumi_proxmoxve as proxmox

from components.compute.workload import GuestWorkload
from components.network.firewall import Guest
from components.specs import CloudVmSpec

CPU_TYPE = "x86-64-v2-AES"
"""Proxmox VE's own default since 8.0: every node we run offers it, so a machine can move between nodes."""

ROOT_DISK = "scsi0"
"""Our VM templates have one disk, on this interface."""

CLOUD_INIT_DRIVE = "ide2"

NOT_COMPARED = ("initialization", "clone", "disks[0].speed")
"""Properties whose changes the engine ignores.

The first two are used at creation only. The third is not set by us, but the provider gives it a default of zeros that
it never reads back, and so would show a change at every preview.
"""

CLONE_SECONDS = 600
START_SECONDS = 120
STOP_SECONDS = 120


class CloudVm(GuestWorkload):
    """A virtual machine with its own kernel, which the customer administers.

    Cloud-init data is used at creation only (``ignore_changes``): a new SSH key must not rebuild a machine
    (muhlba91/pulumi-proxmoxve#513), and a newer template must not replace a customer's disk.
    """

    def __init__(self, name: str, spec: CloudVmSpec, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:compute:CloudVm", name, spec, partial(_machine, name, spec), opts=opts)


def _machine(name: str, spec: CloudVmSpec, opts: pulumi.ResourceOptions) -> Guest:
    machine = proxmox.VmLegacy(
        name,
        node_name=spec.placement.node,
        vm_id=spec.placement.vmid,
        name=spec.hostname,
        # The clone request carries the description, the tags follow later: a clone that was interrupted in between
        # is known as this order's by it.
        description=f"order-{spec.order_id}",
        tags=list(spec.tags),
        clone=proxmox.VmLegacyCloneArgs(
            vm_id=spec.template_vmid,
            datastore_id=spec.placement.storage,
            full=True,
        ),
        cpu=proxmox.VmLegacyCpuArgs(cores=spec.resources.cores, type=CPU_TYPE),
        memory=proxmox.VmLegacyMemoryArgs(dedicated=spec.resources.memory_mib),
        scsi_hardware="virtio-scsi-single",
        disks=[
            proxmox.VmLegacyDiskArgs(
                interface=ROOT_DISK,
                datastore_id=spec.placement.storage,
                size=spec.resources.disk_gib,
                discard="on",  # what the customer deletes is given back to thin storage
                iothread=True,
            )
        ],
        network_devices=[
            proxmox.VmLegacyNetworkDeviceArgs(
                bridge=spec.network.bridge,
                mac_address=spec.network.mac,
                model="virtio",
                firewall=True,
            )
        ],
        initialization=_cloud_init(spec),
        # Stock images have no guest agent; a template's flag would make every refresh wait for one, up to 15 minutes.
        agent=proxmox.VmLegacyAgentArgs(enabled=False),
        started=spec.started,
        on_boot=spec.started,  # a stopped or suspended machine stays off when its node restarts
        reboot_after_update=False,
        stop_on_destroy=True,
        purge_on_destroy=True,
        delete_unreferenced_disks_on_destroy=True,
        timeout_clone=CLONE_SECONDS,
        timeout_start_vm=START_SECONDS,
        timeout_stop_vm=STOP_SECONDS,
        timeout_shutdown_vm=STOP_SECONDS,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=list(NOT_COMPARED))),
    )
    return Guest(resource=machine, node_name=machine.node_name, vm_id=machine.vm_id)


def _cloud_init(spec: CloudVmSpec) -> proxmox.VmLegacyInitializationArgs:
    """Native cloud-init fields only: a snippet needs SSH to the node (bpg/terraform-provider-proxmox#2112)."""
    network = spec.network
    return proxmox.VmLegacyInitializationArgs(
        datastore_id=spec.placement.storage,
        interface=CLOUD_INIT_DRIVE,
        user_account=proxmox.VmLegacyInitializationUserAccountArgs(username=spec.user, keys=list(spec.ssh_keys)),
        ip_configs=[
            proxmox.VmLegacyInitializationIpConfigArgs(
                ipv4=proxmox.VmLegacyInitializationIpConfigIpv4Args(
                    address=f"{network.ipv4.address}/{network.ipv4.prefix_length}",
                    gateway=str(network.ipv4.gateway),
                ),
                ipv6=proxmox.VmLegacyInitializationIpConfigIpv6Args(
                    address=f"{network.ipv6.address}/{network.ipv6.network.prefixlen}",
                    gateway=str(network.ipv6.gateway),
                ),
            )
        ],
        dns=proxmox.VmLegacyInitializationDnsArgs(
            domain=spec.dns.zone_name,
            servers=[str(server) for server in network.nameservers],
        ),
    )
