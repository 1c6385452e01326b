"""A node's templates on the real engine and plugin, against a freshly installed node of the lab."""

import hashlib
from collections.abc import Callable

import pulumi
import pulumi_proxmoxve as proxmox
import pytest
from pulumi import automation as auto

from components.platform.node_templates import NodeTemplates
from components.platform.node_things import NodeThings
from components.specs.platform.node_templates import ImageSpec, TemplatePlaceSpec, TemplateSpec
from tests.fixtures.installed_nodes import InstalledLab, NodeStack

# The stock Automation API leaves an event loop behind at each run; the fixture closes them.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

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
            place=TemplatePlaceSpec(),
            there=NodeThings(node),
            opts=pulumi.ResourceOptions(providers=[provider], depends_on=[files, disks]),
        )
        pulumi.export("templates", [report.model_dump() for report in made.reports])

    return program


def volumes(lab: InstalledLab, node: str) -> list[str]:
    """Every volume on every storage of a node."""
    api = lab.truth.node(node).nodes(node)
    storages = [item["storage"] for item in api.storage.get()]
    return sorted(item["volid"] for storage in storages for item in api.storage(storage).content.get())


def test_a_cloud_image_becomes_a_template_that_stays_the_same_and_goes(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """Agent, serial console, cloud-init drive, a base disk; and a report that says where it is."""
    stack, wanted = node_stack(CLOUD), templates(CLOUD, debian())
    assert stack.up(wanted) == {"templates": [{"template": "debian-12", "version": "1", "source": "9000"}]}
    guest = installed_lab.truth.guest(9000)
    assert guest is not None
    assert guest.config["template"] == 1
    assert guest.config["serial0"] == "socket"
    assert guest.config["scsi0"].startswith("local-lvm:base-9000-disk-0,")
    assert "size=4G" in guest.config["scsi0"]
    assert "cloudinit" in guest.config["ide2"]
    assert stack.pending(wanted) == []
    assert stack.pending(wanted, refresh=True) == []
    stack.destroy()
    assert installed_lab.truth.guests(templates=True) == []
    assert volumes(installed_lab, CLOUD) == []


def test_a_new_version_stands_beside_the_old_one_until_that_leaves_the_list(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """Guests that were cloned from the old one are not asked to move."""
    stack, new = node_stack(CLOUD), debian("2", 9010)
    stack.up(templates(CLOUD, debian()))
    both = templates(CLOUD, debian(), new)
    assert {operation for operation, _ in stack.pending(both)} == {"create"}
    stack.up(both)
    assert [guest.vmid for guest in installed_lab.truth.guests(templates=True)] == [9000, 9010]
    stack.up(templates(CLOUD, new))
    assert [guest.vmid for guest in installed_lab.truth.guests(templates=True)] == [9010]
    assert "images:import/debian-12-1.qcow2" not in volumes(installed_lab, CLOUD)
    assert stack.pending(templates(CLOUD, new), refresh=True) == []


def test_a_template_that_somebody_has_removed_is_seen_and_made_again(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """Both kinds: a volume that is gone, a machine that is gone."""
    for node, wanted in ((BOT, templates(BOT, python_bot())), (CLOUD, templates(CLOUD, debian()))):
        stack = node_stack(node)
        stack.up(wanted)
        api = installed_lab.truth.node(node).nodes(node)
        if node == BOT:
            api.storage("local").content("local:vztmpl/python-bot-3.12_amd64.tar.zst").delete()
        else:
            api.qemu(9000).delete()
        name = f"{node}-python-bot-3.12" if node == BOT else f"{node}-debian-12-1"
        assert stack.pending(wanted, refresh=True) == [("create", name)]
        stack.stack.up(program=wanted, refresh=True)
        assert stack.pending(wanted, refresh=True) == []
    assert "local:vztmpl/python-bot-3.12_amd64.tar.zst" in volumes(installed_lab, BOT)
    assert [guest.vmid for guest in installed_lab.truth.guests(templates=True)] == [9000]


def test_an_image_with_another_checksum_is_refused_and_leaves_nothing(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """The error says which file; with the right checksum the same stack goes on."""
    stack = node_stack(BOT)
    wrong = python_bot(image=ImageSpec(url=python_bot().image.url, checksum="0" * 64))
    with pytest.raises(auto.CommandError, match=r"python-bot-3.12_amd64.tar.zst[\s\S]*checksum mismatch"):
        stack.up(templates(BOT, wrong))
    assert volumes(installed_lab, BOT) == []
    stack.up(templates(BOT, python_bot()))
    assert stack.pending(templates(BOT, python_bot()), refresh=True) == []


def test_an_image_that_is_not_there_is_told(node_stack: Callable[[str], NodeStack]) -> None:
    """Neither a wrong name nor a wrong path is taken for an empty file."""
    stack = node_stack(BOT)
    with pytest.raises(auto.CommandError, match=r"Can't connect to elsewhere\.example"):
        stack.up(templates(BOT, python_bot(image=image("https://elsewhere.example/python-bot.tar.zst"))))


def test_a_download_whose_answer_was_lost_is_found_and_kept(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """The file is there, the engine does not know it; its checksum says that it is the right one."""
    stack, wanted = node_stack(BOT), templates(BOT, python_bot())
    installed_lab.faults.proxmox.add("lose_answer", where=BOT, method="POST", path="*/download-url", times=1)
    with pytest.raises(auto.CommandError):
        stack.up(wanted)
    assert volumes(installed_lab, BOT) == ["local:vztmpl/python-bot-3.12_amd64.tar.zst"]
    stack.up(wanted)
    assert stack.pending(wanted, refresh=True) == []


@pytest.mark.parametrize("task", ["download", "qmcreate", "resize", "qmtemplate"])
def test_a_template_that_failed_half_way_is_finished_by_the_next_run(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack], task: str
) -> None:
    """Wherever it stopped."""
    stack, wanted = node_stack(CLOUD), templates(CLOUD, debian())
    installed_lab.faults.proxmox.add("task_error", where=CLOUD, path=task, message="no space", times=1)
    with pytest.raises(auto.CommandError, match="no space"):
        stack.up(wanted)
    stack.stack.up(program=wanted, refresh=True)
    guest = installed_lab.truth.guest(9000)
    assert guest is not None
    assert (guest.config["template"], "base-9000-disk-0" in guest.config["scsi0"]) == (1, True)
    assert stack.pending(wanted, refresh=True) == []
    stack.destroy()
    assert volumes(installed_lab, CLOUD) == []
