"""Ubuntu's autoinstall (Subiquity): a cloud-config with ``autoinstall``, version 1."""

from typing import Any

from api.machines.netboot.seeding import Seed
from components.specs.machine import DiskLayout
from pxe.boot.seeds.network import netplan
from pxe.boot.seeds.setup import encoded_setup
from pxe.boot.seeds.yaml_text import to_yaml

_SERIAL = "$(tr -cd 'A-Za-z0-9._-' </sys/class/dmi/id/product_serial)"


def autoinstall(seed: Seed, token: str, base_url: str) -> str:
    """Return ``user-data`` for Ubuntu's installer."""
    told = f"{base_url}/seed/{token}"
    profile = seed.profile
    document: dict[str, Any] = {
        "version": 1,
        "early-commands": [["sh", "-c", f"{_tell(told, 'inspect', f'&serial={_SERIAL}')} || poweroff -f"]],
        "locale": "en_US.UTF-8",
        "network": netplan(seed.boot_mac, profile.network),
        "storage": _storage(profile.layout),
        # A hash that no password has. The installer wants an account besides root.
        "identity": {"hostname": profile.hostname, "username": _account(profile.user), "password": "!"},
        "ssh": {"install-server": True, "allow-pw": False, "authorized-keys": list(profile.ssh_keys)},
        "late-commands": [
            ["sh", "-c", _tell(told, "configure")],
            ["curtin", "in-target", "--", "sh", "-c", encoded_setup(seed, base_url)],
            ["sh", "-c", _tell(told, "reboot")],
        ],
        "error-commands": [["sh", "-c", f"curl -sf --data code=installer_failed {told}/failure"]],
        "shutdown": "reboot",
    }
    return f"#cloud-config\n{to_yaml({'autoinstall': document})}"


def _account(user: str) -> str:
    return "slipway" if user == "root" else user


def _tell(told: str, phase: str, more: str = "") -> str:
    return f'curl -sf --retry 5 --data "phase={phase}{more}" {told}/phase'


def _storage(layout: DiskLayout) -> dict[str, Any]:
    if layout is DiskLayout.SINGLE:
        return {"layout": {"name": "direct", "match": {"size": "smallest"}}}
    config: list[dict[str, Any]] = []
    for number, size in ((0, "smallest"), (1, "smallest")):
        disk = f"disk{number}"
        config += [
            {
                "id": disk,
                "type": "disk",
                "ptable": "gpt",
                "wipe": "superblock-recursive",
                "match": {"size": size},
                "grub_device": True,
            },
            {"id": f"{disk}-bios", "type": "partition", "device": disk, "size": "1M", "flag": "bios_grub"},
            {"id": f"{disk}-root", "type": "partition", "device": disk, "size": -1},
        ]
    return {
        "config": [
            *config,
            {"id": "md0", "type": "raid", "name": "md0", "raidlevel": 1, "devices": ["disk0-root", "disk1-root"]},
            {"id": "root-fs", "type": "format", "fstype": "ext4", "volume": "md0"},
            {"id": "root-mount", "type": "mount", "path": "/", "device": "root-fs"},
        ]
    }
