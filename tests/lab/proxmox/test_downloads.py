"""Downloads to a node's storage, machines made of them, and clones of those."""

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer import ResourceException

from lab.proxmox.images import HOST, look_up

if TYPE_CHECKING:
    from lab.client import RunningLab

URL = f"https://{HOST}/debian-12.qcow2"
FILE = {"content": "import", "filename": "debian-12.qcow2", "url": URL}
SUM = {"checksum": hashlib.sha256(URL.encode()).hexdigest(), "checksum-algorithm": "sha256"}


@pytest.fixture
def node(lab: "RunningLab") -> Any:
    """A node with a storage for images."""
    api = lab.truth.node("cloud-1")
    api.storage.post(storage="images", type="dir", path="/var/lib/images", content="import")
    return api.nodes("cloud-1")


def ending(node: Any, task: str) -> str:
    """How a task ended."""
    return str(node.tasks(task).status.get()["exitstatus"])


def download(node: Any, **fields: str) -> str:
    """How a download ended."""
    return ending(node, node.storage("images")("download-url").post(**{**FILE, **SUM, **fields}))


def volumes(node: Any) -> list[str]:
    """What is on the storage for images."""
    return [item["volid"] for item in node.storage("images").content.get()]


def test_an_image_is_there_at_one_host_and_holds_its_own_address() -> None:
    """So that a checksum can be written down beside an address."""
    assert look_up(URL).problem is None
    assert look_up(URL).checksum("sha256") == SUM["checksum"]
    assert look_up(f"https://{HOST}/readme.txt").problem == "404 Not Found"
    assert "Can't connect to elsewhere.example:443" in str(look_up("https://elsewhere.example/a.qcow2").problem)


def test_a_download_is_compared_and_one_that_is_there_is_kept(node: Any) -> None:
    """By its checksum, if one is given; without one, a file is never replaced."""
    assert node("query-url-metadata").get(url=URL)["filename"] == "debian-12.qcow2"
    assert download(node, checksum="0" * 64).startswith(f"checksum mismatch: got '{SUM['checksum']}'")
    assert volumes(node) == []
    assert download(node) == "OK"
    assert volumes(node) == ["images:import/debian-12.qcow2"]
    assert download(node) == "OK"
    assert "aborting" in download(node, checksum="0" * 64)
    assert "refusing to override" in ending(node, node.storage("images")("download-url").post(**FILE))
    node.storage("images").content("images:import/debian-12.qcow2").delete()
    assert volumes(node) == []


def test_what_cannot_be_downloaded_is_told(node: Any) -> None:
    """Nobody there, no such file, a storage that takes no such content."""
    elsewhere = "https://elsewhere.example/debian-12.qcow2"
    with pytest.raises(ResourceException, match="invalid server response: '500 Can't connect"):
        node("query-url-metadata").get(url=elsewhere)
    assert "404 Not Found" in download(node, url=f"https://{HOST}/readme.txt")
    with pytest.raises(ResourceException, match="not configured for content-type 'import'"):
        node.storage("local")("download-url").post(**FILE, **SUM)


def test_a_machine_is_made_of_an_image_and_gives_linked_clones(lab: "RunningLab", node: Any) -> None:
    """Each with a cloud-init drive of its own, so that deleting one leaves the template's."""
    download(node)
    disk = "local-lvm:0,import-from=images:import/debian-12.qcow2"
    node.qemu.post(vmid=9500, name="made", scsi0=disk, ide2="local-lvm:cloudinit")
    node.qemu(9500).template.post()
    template = node.qemu(9500).config.get()
    assert template["scsi0"] == "local-lvm:base-9500-disk-0,size=3G"
    node.qemu(9500).clone.post(newid=1000, full=0)
    clone = node.qemu(1000).config.get()
    assert clone["scsi0"].startswith("local-lvm:vm-1000-disk-")
    assert clone["ide2"].startswith("local-lvm:vm-1000-cloudinit")
    node.qemu(1000).delete()
    assert lab.truth.volumes("cloud-1") == ["local-lvm:vm-9500-cloudinit"]


@pytest.mark.parametrize(
    ("disk", "problem"),
    [
        ("local-lvm:0,import-from=images:import/other.qcow2", "does not exist"),
        ("local-lvm:8,import-from=images:import/debian-12.qcow2", "requires special syntax"),
        ("local-lvm:0,import-from=local:vztmpl/debian.tar.zst", "wrong type 'vztmpl'"),
        ("local-lvm:0,import-from=/etc/passwd", "is no volume"),
    ],
)
def test_an_import_that_cannot_be_is_refused(node: Any, disk: str, problem: str) -> None:
    """At once, or by the task where only that can know."""
    try:
        said = ending(node, node.qemu.post(vmid=9500, scsi0=disk))
    except ResourceException as error:
        said = str(error)
    assert problem in said
