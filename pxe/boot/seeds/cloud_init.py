"""cloud-init's NoCloud files."""

from typing import Any

from components.specs.machine import BootProfile
from pxe.boot.seeds.network import netplan
from pxe.boot.seeds.yaml_text import to_yaml


def accounts(profile: BootProfile) -> dict[str, Any]:
    """Return who may log in: the profile's user by key, nobody by password."""
    user: dict[str, Any] = {
        "name": profile.user,
        "lock_passwd": True,
        "ssh_authorized_keys": list(profile.ssh_keys),
    }
    if profile.user != "root":
        user |= {"shell": "/bin/bash", "sudo": "ALL=(ALL) NOPASSWD:ALL"}
    return {"users": [user], "disable_root": profile.user != "root", "ssh_pwauth": False}


def user_data(profile: BootProfile) -> str:
    """Return cloud-config for an image; the machine calls back by a unit of its own (``callback``)."""
    document = {
        "hostname": profile.hostname,
        "preserve_hostname": False,
        "manage_etc_hosts": True,
        **accounts(profile),
        "growpart": {"mode": "auto", "devices": ["/"]},
    }
    return f"#cloud-config\n{to_yaml(document)}"


def meta_data(profile: BootProfile, instance_id: str) -> str:
    """Return what tells cloud-init that this is a new machine."""
    return to_yaml({"instance-id": instance_id, "local-hostname": profile.hostname})


def vendor_data() -> str:
    """Return nothing of ours: all is in ``user-data``."""
    return "#cloud-config\n{}\n"


def network_config(boot_mac: str, profile: BootProfile) -> str:
    """Return the network in cloud-init's version 2; where it does without netplan it goes by the card's name."""
    return to_yaml(netplan(boot_mac, profile.network, name="eth0"))
