"""Proxmox VE's answer file for its automated installation: TOML."""

import json

from api.machines.netboot.seeding import Seed
from components.specs.machine import DiskLayout
from pxe.boot.seeds.network import ipv4_with_prefix
from pxe.boot.seeds.setup import one_line

_MAIL = "root@localhost.invalid"


def quoted(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are a part of TOML's (TOML 1.0, strings), without DEL."""
    return json.dumps(one_line(text), ensure_ascii=True)


def answer(seed: Seed, domain: str = "invalid") -> str:
    """Return the file. Who logs in has one of the keys: the password is one that nobody knows, and root's is locked."""
    profile, network = seed.profile, seed.profile.network
    keys = ",\n".join(f"    {quoted(key)}" for key in profile.ssh_keys)
    mirror = profile.layout is DiskLayout.RAID1
    nameserver = network.nameservers[0] if network.nameservers else network.ipv4.gateway
    disks = 'filesystem = "zfs"\nzfs.raid = "raid1"' if mirror else 'filesystem = "ext4"'
    return f"""\
[global]
keyboard = "en-us"
country = "de"
fqdn = {quoted(f"{profile.hostname}.{domain}")}
mailto = "{_MAIL}"
timezone = "UTC"
root-password-hashed = "!"
root-ssh-keys = [
{keys}
]
reboot-on-error = false

[network]
source = "from-answer"
cidr = {quoted(ipv4_with_prefix(network))}
dns = {quoted(str(nameserver))}
gateway = {quoted(str(network.ipv4.gateway))}
filter.ID_NET_NAME_MAC = {quoted("*" + seed.boot_mac.replace(":", ""))}

[disk-setup]
{disks}
filter.DEVTYPE = "disk"
"""
