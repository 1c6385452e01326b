"""One node's templates: images downloaded, and virtual machines made of them into templates."""

from collections.abc import Sequence

import pulumi
import pulumi_proxmoxve as proxmox
from pulumi_proxmoxve import download

from components.platform.node_things import NodeThings
from components.specs.platform import NodeTemplateReport
from components.specs.platform.node_templates import TemplatePlaceSpec, TemplateSpec

ROOT_DISK = "scsi0"
CLOUD_INIT_DRIVE = "ide2"
"""The interfaces that a customer's machine (:mod:`components.compute.cloud_vm`) finds its disk and settings on."""

TAGS = ("slipway", "template")
CPU_TYPE = "x86-64-v2-AES"
DOWNLOAD_SECONDS = 1800
CREATE_SECONDS = 1800
"""An image of some GiB, over a slow mirror and onto a busy disk."""

NOT_COMPARED = ("disks",)
"""How a disk was made is used only then, and a template's is never edited: a base disk cannot grow any more.

So a template whose creation failed after the import is only converted by the next run; a clone grows its disk anyway.
"""


class NodeTemplates(pulumi.ComponentResource):
    """Every template version that a node is to have; ``opts`` has to bring the node's own provider.

    ``after`` are the storages and bridges that they are made on.

    Each version is a file and, for virtual machines, a template of its own. So a new version is made beside the old
    one, and what leaves the list is removed. An image is fetched again only if it is gone; one that is there after a
    crash is compared by its checksum and kept. Nothing is protected here: whether guests still use a version is known
    to the control plane.
    """

    reports: Sequence[NodeTemplateReport]
    """Where each version lies on this node, for Inventory; true once ``made`` is there."""
    made: Sequence[pulumi.Resource]

    def __init__(  # noqa: PLR0913 - where they are made, and of what
        self,
        node: str,
        templates: Sequence[TemplateSpec],
        *,
        place: TemplatePlaceSpec,
        there: NodeThings,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:NodeTemplates", node, None, opts)
        self._node, self._place, self._there, self._after = node, place, there, list(after)
        self.made = [self._make(template) for template in templates]
        self.reports = [report_of(template, place) for template in templates]
        self.register_outputs({"templates": [report.model_dump() for report in self.reports]})

    def _make(self, template: TemplateSpec) -> pulumi.Resource:
        is_machine = template.kind == "vm"
        image: pulumi.CustomResource = download.File(
            f"{self._node}-{template.label}",
            node_name=self._node,
            datastore_id=self._place.machine_images if is_machine else self._place.container_templates,
            content_type="import" if is_machine else "vztmpl",
            file_name=template.file_name,
            url=template.image.url,
            checksum=template.image.checksum,
            checksum_algorithm=template.image.algorithm,
            # Never fetched anew because the mirror's file has another size: a version is never edited, and the
            # checksum would refuse it.
            overwrite=False,
            overwrite_unmanaged=False,
            upload_timeout=DOWNLOAD_SECONDS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._after),
        )
        return self._machine(template, image) if is_machine else image

    def _machine(self, template: TemplateSpec, image: pulumi.CustomResource) -> pulumi.Resource:
        # The provider takes whatever it finds under the number for what it has made.
        ours = {"name": template.machine_name, "tags": frozenset(TAGS)}
        self._there.refuse_others("virtual machine", str(template.vmid), ours)
        machine: pulumi.Resource = proxmox.VmLegacy(
            f"{self._node}-{template.label}",
            node_name=self._node,
            vm_id=template.vmid,
            name=template.machine_name,
            description=f"Template {template.template}, version {template.version}",
            tags=list(TAGS),
            template=True,
            started=False,
            on_boot=False,
            # An image with the agent in it answers; a guest says for itself whether its agent is waited for.
            agent=proxmox.VmLegacyAgentArgs(enabled=True),
            cpu=proxmox.VmLegacyCpuArgs(cores=1, type=CPU_TYPE),
            memory=proxmox.VmLegacyMemoryArgs(dedicated=1024),
            operating_system=proxmox.VmLegacyOperatingSystemArgs(type=template.system),
            scsi_hardware="virtio-scsi-single",
            disks=[
                proxmox.VmLegacyDiskArgs(
                    interface=ROOT_DISK,
                    datastore_id=self._place.disks,
                    import_from=image.id,
                    size=template.disk_gib,
                    discard="on",
                    iothread=True,
                )
            ],
            boot_orders=[ROOT_DISK],
            network_devices=[proxmox.VmLegacyNetworkDeviceArgs(bridge=self._place.bridge, model="virtio")],
            # Cloud images write their first boot to the serial port, and stop without one.
            serial_devices=[proxmox.VmLegacySerialDeviceArgs(device="socket")],
            vga=proxmox.VmLegacyVgaArgs(type="serial0"),
            initialization=proxmox.VmLegacyInitializationArgs(
                datastore_id=self._place.disks, interface=CLOUD_INIT_DRIVE
            ),
            timeout_create=CREATE_SECONDS,
            stop_on_destroy=True,
            purge_on_destroy=True,
            delete_unreferenced_disks_on_destroy=True,
            reboot_after_update=False,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*self._after, image], ignore_changes=list(NOT_COMPARED)
            ),
        )
        return machine


def report_of(template: TemplateSpec, place: TemplatePlaceSpec) -> NodeTemplateReport:
    """Return where a version lies on a node: a virtual machine's number, or a container template's volume."""
    volume = f"{place.container_templates}:vztmpl/{template.file_name}"
    source = str(template.vmid) if template.kind == "vm" else volume
    return NodeTemplateReport(template=template.template, version=template.version, source=source)
