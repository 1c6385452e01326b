"""What installimage and the new system are given."""

import subprocess

import pytest
from pydantic import ValidationError

from components.installation.profile import Uplink, installimage_config, post_install_script
from components.specs.platform.installation import InstallationProfile, InstallationSpec, StorageLayout
from lab.rescue.installimage import check
from lab.rescue.machine import DRIVES

UPLINK = Uplink("198.18.0.2", 26, "198.18.0.1", "2001:db8:f00:1::")
KEY = "ssh-ed25519 AAAA"


def spec(**profile: object) -> InstallationSpec:
    """A node with this profile."""
    made = InstallationProfile.model_validate(profile)
    return InstallationSpec(number=321_001, name="game-1", domain="slipway.example", profile=made)


def test_the_configuration_of_a_mirrored_node() -> None:
    """As installimage reads it: the rest of the drives is the volume group's."""
    assert installimage_config(spec()).splitlines() == [
        "DRIVE1 /dev/nvme0n1",
        "DRIVE2 /dev/nvme1n1",
        "SWRAID 1",
        "SWRAIDLEVEL 1",
        "BOOTLOADER grub",
        "HOSTNAME game-1.slipway.example",
        "PART /boot ext3 1G",
        "PART lvm pve all",
        "LV pve root / ext4 64G",
        "LV pve swap swap swap 8G",
        "IMAGE /root/images/Debian-1300-trixie-amd64-base.tar.gz",
    ]


@pytest.mark.parametrize(
    ("profile", "lines"),
    [
        ({"drives": ["sda"], "raid_level": None}, ["DRIVE1 /dev/sda", "SWRAID 0"]),
        ({"uefi": True}, ["PART /boot/efi esp 256M"]),
        ({"layout": "zfs", "root_gib": 32}, ["PART swap swap 8G", "PART / ext4 32G"]),
    ],
)
def test_what_differs_is_in_it(profile: dict[str, object], lines: list[str]) -> None:
    """And installimage takes it."""
    config = installimage_config(spec(**profile))
    assert set(lines) <= set(config.splitlines())
    check(config, [*DRIVES, "sda"])


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        ({"drives": ["nvme0n1", "nvme0n1"]}, "nvme0n1 is given twice"),
        ({"drives": ["nvme0n1"]}, "RAID level 1 needs at least 2 drives"),
        ({"raid_level": None}, "2 drives need a level"),
        ({"drives": ["sda", "sdb", "sdc", "sdd", "sde"], "raid_level": 10}, "needs an even number"),
        ({"drives": ["/dev/sda", "sdb"]}, "String should match pattern"),
        ({"drives": []}, "at least 1 item"),
        ({"image": "../../etc/passwd"}, "String should match pattern"),
        ({"raid_level": 4}, "Input should be 0, 1, 5, 6 or 10"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(profile: dict[str, object], problem: str) -> None:
    """Before anything exists."""
    with pytest.raises(ValidationError, match=problem):
        spec(**profile)


@pytest.mark.parametrize("layout", list(StorageLayout))
@pytest.mark.parametrize(
    ("drives", "level"), [(("sda", "sdb"), 1), (("sda", "sdb", "sdc", "sdd"), 10), (("sda",), None)]
)
def test_bash_reads_the_script_and_what_it_writes(layout: str, drives: tuple[str, ...], level: int | None) -> None:
    """The script for the first start is read by a shell too."""
    script = post_install_script(spec(layout=layout, drives=drives, raid_level=level), UPLINK, KEY)
    subprocess.run(["/bin/bash", "-n"], input=script, text=True, check=True)
    first = next(line for line in script.splitlines() if line.startswith("printf '%s' '#!/bin/sh"))
    start = script.index(first)
    written = subprocess.check_output(
        ["/bin/bash", "-c", script[start : script.index(" >/usr/local/sbin/slipway-first-boot")]], text=True
    )
    subprocess.run(["/bin/sh", "-n"], input=written, text=True, check=True)
    assert ("zpool create" in written) is (layout == "zfs")
    assert written.count("mirror") == {1: 1, 10: 2, None: 0}[level] * (layout == "zfs")


def test_the_network_is_static_and_the_name_is_not_loopback() -> None:
    """Proxmox VE refuses to start where its own name resolves to 127.0.0.1."""
    script = post_install_script(spec(), UPLINK, KEY)
    assert "198.18.0.2 game-1.slipway.example game-1" in script
    assert "    address 198.18.0.2/26\n    gateway 198.18.0.1\n    bridge-ports nic0" in script
    assert "    address 2001:db8:f00:1::2/64\n    gateway fe80::1" in script
    assert "iface vmbr0 inet6" not in post_install_script(spec(), Uplink("198.18.0.2", 26, "198.18.0.1"), KEY)


def test_packages_are_held_against_a_key_that_is_held_against_its_sum() -> None:
    """No subscription is needed, and the paid repository is taken out again."""
    script = post_install_script(spec(), UPLINK, KEY)
    assert script.index("sha256sum --check") < script.index("proxmox.sources") < script.index("proxmox-ve postfix")
    assert "pve-enterprise.sources" in script
