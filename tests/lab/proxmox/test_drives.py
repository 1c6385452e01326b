"""Config changes and resizes have volumes behind them."""

from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer import ResourceException

if TYPE_CHECKING:
    from lab.client import RunningLab


@pytest.fixture
def vm(lab: "RunningLab") -> Any:
    """A stopped clone."""
    node = lab.truth.node("cloud-1").nodes("cloud-1")
    node.qemu(9000).clone.post(newid=1000)
    return node.qemu(1000)


def test_a_cloud_init_drive_is_allocated_kept_on_repetition_and_freed(lab: "RunningLab", vm: Any) -> None:
    """The drive's volume has Proxmox VE's name; asking twice makes no second one."""
    for _ in range(2):
        vm.config.put(ide2="local-lvm:cloudinit")
        assert vm.config.get()["ide2"] == "local-lvm:vm-1000-cloudinit,media=cdrom"
    assert "local-lvm:vm-1000-cloudinit" in lab.truth.volumes("cloud-1")
    vm.config.put(delete="ide2")
    assert "ide2" not in vm.config.get()
    assert "local-lvm:vm-1000-cloudinit" not in lab.truth.volumes("cloud-1")


def test_a_network_device_gets_an_address_and_keeps_it(vm: Any) -> None:
    """A change that does not name the hardware address does not change it."""
    vm.config.put(net0="virtio,bridge=vmbr0")
    first = vm.config.get()["net0"]
    vm.config.put(net0="virtio,bridge=vmbr0,firewall=1")
    assert vm.config.get()["net0"] == f"{first},firewall=1"
    vm.config.put(net0="virtio=BC:24:11:AA:BB:CC,bridge=vmbr0")
    assert vm.config.get()["net0"] == "virtio=BC:24:11:AA:BB:CC,bridge=vmbr0"


def test_a_new_disk_is_allocated_and_an_attached_one_keeps_its_size(lab: "RunningLab", vm: Any) -> None:
    """Sending a disk back with other options does not shrink or grow it."""
    vm.config.put(scsi1="local-lvm:5")
    assert vm.config.get()["scsi1"] == "local-lvm:vm-1000-disk-1,size=5G"
    vm.config.put(scsi1="local-lvm:vm-1000-disk-1,discard=on")
    assert vm.config.get()["scsi1"] == "local-lvm:vm-1000-disk-1,discard=on,size=5G"
    vm.config.put(delete="scsi1")
    assert vm.config.get()["unused0"] == "local-lvm:vm-1000-disk-1"
    vm.delete(**{"purge": 1, "destroy-unreferenced-disks": 1})
    assert lab.truth.volumes("cloud-1") == []


def test_a_disk_grows_by_or_to_a_size_and_never_shrinks(lab: "RunningLab", vm: Any) -> None:
    """Shrinking ends the task with an error, a disk that is not there is refused at once."""
    vm.resize.put(disk="scsi0", size="10G")
    vm.resize.put(disk="scsi0", size="+2G")
    assert vm.config.get()["scsi0"] == "local-lvm:vm-1000-disk-0,size=12G"
    upid = vm.resize.put(disk="scsi0", size="4G")
    status = lab.truth.node("cloud-1").nodes("cloud-1").tasks(upid).status.get()
    assert status["exitstatus"] == "shrinking disks is not supported"
    with pytest.raises(ResourceException, match="disk 'scsi7' does not exist"):
        vm.resize.put(disk="scsi7", size="1G")


def test_tags_are_kept_sorted_once_and_in_lower_case(vm: Any) -> None:
    """As Proxmox VE keeps them, whatever the separator."""
    vm.config.put(tags="Slipway,order-9;slipway a")
    assert vm.config.get()["tags"] == "a;order-9;slipway"


def test_a_running_machine_takes_networks_and_disks_at_once_and_cores_later(vm: Any) -> None:
    """``config`` shows what will be, ``config?current=1`` what is."""
    vm.status.start.post()
    vm.config.put(cores=4, net0="virtio=BC:24:11:AA:BB:CC,bridge=vmbr0,rate=10", scsi1="local-lvm:5")
    now, then = vm.config.get(current=1), vm.config.get()
    assert (now["cores"], then["cores"]) == (1, 4)
    assert now["net0"] == "virtio=BC:24:11:AA:BB:CC,bridge=vmbr0,rate=10"
    assert now["scsi1"] == "local-lvm:vm-1000-disk-1,size=5G"
    vm.status.reboot.post()
    assert vm.config.get(current=1)["cores"] == 4
