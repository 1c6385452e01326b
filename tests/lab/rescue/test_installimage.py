"""What the lab's installimage refuses."""

import pytest

from lab.rescue.installimage import Refused, check

DRIVES = ("nvme0n1", "nvme1n1")
GOOD = """
DRIVE1 /dev/nvme0n1
DRIVE2 /dev/nvme1n1
SWRAID 1
SWRAIDLEVEL 1   # mirrored
BOOTLOADER grub
HOSTNAME game-1.slipway.example
PART /boot ext3 1G
PART lvm pve all
LV pve root / ext4 50G
IMAGE /root/images/Debian-1300-trixie-amd64-base.tar.gz
"""


def test_a_good_configuration_passes() -> None:
    """Comments and empty lines are nothing."""
    check(GOOD, DRIVES)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DRIVE1 /dev/nvme0n1", "", "Value for DRIVE1 is not correct"),
        ("/dev/nvme1n1", "/dev/sdb", "Value for DRIVE2 is not correct: /dev/sdb"),
        ("/dev/nvme1n1", "/dev/nvme0n1", "one drive is given twice"),
        ("SWRAID 1", "SWRAID 2", "Value for SWRAID is not correct"),
        ("SWRAIDLEVEL 1 ", "SWRAIDLEVEL 5 ", "Not enough drives for RAID level 5"),
        ("SWRAIDLEVEL 1 ", "SWRAIDLEVEL 3 ", "Value for SWRAIDLEVEL is not correct"),
        ("BOOTLOADER grub", "BOOTLOADER lilo", "No valid BOOTLOADER"),
        ("game-1.slipway", "game_1.slipway", "No valid HOSTNAME"),
        ("trixie", "sid", "No valid IMAGEFILE"),
        ("PART lvm pve all", "PART lvm pve", "mount point, file system and size are needed"),
        ("PART /boot ext3 1G", "PART /boot ntfs 1G", "Filesystem 'ntfs' is not supported"),
        ("1G", "1X", "Partition size '1X' is not correct"),
        ("1G", "all", "size 'all' must be the last one"),
        ("LV pve", "LV vg0", "LVM volume group 'vg0' is not defined"),
        ("root / ext4", "root ext4", "group, name, mount point, file system and size are needed"),
        ("root / ext4", "root /srv ext4", "You need a root partition /"),
        ("ext4 50G", "zfs 50G", "Filesystem 'zfs' is not supported"),
        ("50G", "0.5G", "Size '0.5G' of logical volume 'root' is not correct"),
    ],
)
def test_a_bad_one_is_refused(old: str, new: str, message: str) -> None:
    """With a message that names what is wrong."""
    assert old in GOOD
    with pytest.raises(Refused, match=message):
        check(GOOD.replace(old, new, 1), DRIVES)


def test_nothing_at_all_is_refused() -> None:
    """No partition, no system."""
    with pytest.raises(Refused, match="DRIVE1"):
        check("", DRIVES)
    with pytest.raises(Refused, match="There are no PARTITIONS given"):
        check("\n".join(line for line in GOOD.splitlines() if not line.startswith(("PART", "LV"))), DRIVES)
