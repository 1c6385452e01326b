"""A node's templates on the real engine and plugin, against a freshly installed node of the lab."""

import hashlib
from collections.abc import Callable

import pulumi
import pulumi_proxmoxve as proxmox
import pytest

from components.platform.node_templates import NodeTemplates
from components.specs.platform.node_templates import ImageSpec, TemplatePlaceSpec, TemplateSpec
from tests.fixtures.bare_nodes import BareLab, NodeStack

pytestmark = pytest.mark.engine

MIRROR = "https://images.slipway.example"
CLOUD, BOT = "cloud-1", "bot-1"


def image(url: str) -> ImageSpec:
    """An image of the lab's mirror, where each holds its own address."""
    return ImageSpec(url=url, checksum=hashlib.sha256(url.encode()).hexdigest())


def debian(version: str = "1", vmid: int = 9000) -> TemplateSpec:
    """A virtual machine's template."""
    return TemplateSpec(
        template="debian-12",
        version=version,
        kind="vm",
        workload_class="cloud",
        vmid=vmid,
        image=image(f"{MIRROR}/debian-12-{version}.qcow2"),
    )


def python_bot(**changes: object) -> TemplateSpec:
    """A container's template."""
    fields = {
        "template": "python-bot",
        "version": "3.12",
        "kind": "container",
        "workload_class": "bot",
        "image": image(f"{MIRROR}/python-bot-3.12_amd64.tar.zst"),
        **changes,
    }
    return TemplateSpec.model_validate(fields)


def templates(node: str, *wanted: TemplateSpec) -> Callable[[], None]:
    """A node's storages and templates; the storages are somebody else's in a whole estate."""

    def program() -> None:
        provider = proxmox.Provider(node)
        opts = pulumi.ResourceOptions(provider=provider)
        files = proxmox.storage.Directory(
            "images", resource_id="images", path="/var/lib/images", contents=["import"], opts=opts
        )
        disks = proxmox.storage.Lvmthin(
            "local-lvm",
            resource_id="local-lvm",
            volume_group="pve",
            thin_pool="data",
            contents=["images", "rootdir"],
            opts=opts,
        )
        made = NodeTemplates(
            node,
            wanted,
            node_name=node,
            place=TemplatePlaceSpec(),
            opts=pulumi.ResourceOptions(providers=[provider], depends_on=[files, disks]),
        )
        pulumi.export("templates", [report.model_dump() for report in made.reports])

    return program


def volumes(lab: BareLab, node: str) -> list[str]:
    """Every volume on every storage of a node."""
    api = lab.truth.node(node).nodes(node)
    storages = [item["storage"] for item in api.storage.get()]
    return sorted(item["volid"] for storage in storages for item in api.storage(storage).content.get())


def test_a_cloud_image_becomes_a_template_that_stays_the_same_and_goes(
    bare_lab: BareLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """Agent, serial console, cloud-init drive, a base disk; and a report that says where it is."""
    stack, wanted = node_stack(CLOUD), templates(CLOUD, debian())
    assert stack.up(wanted) == {"templates": [{"template": "debian-12", "version": "1", "source": "9000"}]}
    guest = bare_lab.truth.guest(9000)
    assert guest is not None
    assert guest.config["template"] == 1
    assert guest.config["serial0"] == "socket"
    assert guest.config["scsi0"].startswith("local-lvm:base-9000-disk-0,")
    assert "size=4G" in guest.config["scsi0"]
    assert "cloudinit" in guest.config["ide2"]
    assert stack.pending(wanted) == []
    assert stack.pending(wanted, refresh=True) == []
    stack.destroy()
    assert bare_lab.truth.guests(templates=True) == []
    assert volumes(bare_lab, CLOUD) == []
