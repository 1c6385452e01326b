"""Types of answers: Proxmox VE's schema, not what the client happened to send."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.client import RunningLab


def test_a_vm_s_numbers_come_back_as_numbers_and_its_memory_as_text(lab: "RunningLab") -> None:
    """A form sends everything as text; ``memory`` is a string in Proxmox VE's own schema."""
    node = lab.truth.node("cloud-1").nodes("cloud-1")
    node.qemu(9000).clone.post(newid=1000)
    node.qemu(1000).config.put(cores="2", sockets="1", memory="2048", onboot="yes", balloon="0", cpulimit="1.5")
    config = node.qemu(1000).config.get()
    assert (config["cores"], config["sockets"], config["balloon"]) == (2, 1, 0)
    assert (config["memory"], config["onboot"], config["cpulimit"]) == ("2048", 1, 1.5)


def test_a_container_s_numbers_come_back_as_numbers(lab: "RunningLab") -> None:
    """After a later change too, which fakepve keeps in another place than the creation."""
    node = lab.truth.node("bot-1").nodes("bot-1")
    template = "local:vztmpl/node-bot-22_amd64.tar.zst"
    node.lxc.post(vmid=1001, ostemplate=template, rootfs="local-lvm:4", cores="1", memory="512", onboot="1")
    node.lxc(1001).config.put(memory="1024", swap="0")
    config = node.lxc(1001).config.get()
    assert (config["cores"], config["memory"], config["swap"], config["onboot"]) == (1, 1024, 0, 1)


def test_a_cloned_disk_s_size_fits_a_64_bit_integer(lab: "RunningLab") -> None:
    """``maxdisk`` is bytes; a size without a unit must not be taken for GiB."""
    node = lab.truth.node("cloud-1").nodes("cloud-1")
    node.qemu(9000).clone.post(newid=1002, full=1)
    node.qemu(1002).resize.put(disk="scsi0", size=str(4 * 1024**3 + 512))
    assert node.qemu(1002).config.get()["scsi0"].endswith(",size=4294967808")
    assert node.qemu(1002).status.current.get()["maxdisk"] == 4 * 1024**3 + 512
