"""From a profile to what installimage and the new system are given. No I/O.

installimage's keywords: https://github.com/hetzneronline/installimage; the packages:
https://pve.proxmox.com/wiki/Install_Proxmox_VE_on_Debian_13_Trixie.
"""

import ipaddress
import shlex
from dataclasses import dataclass

from components.specs.platform.installation import InstallationProfile, InstallationSpec, StorageLayout

IMAGES = "/root/images"
KEYRING_URL = "https://enterprise.proxmox.com/debian/proxmox-archive-keyring-trixie.gpg"
KEYRING_SHA256 = "136673be77aba35dcce385b28737689ad64fd785a797e57897589aed08db6e45"
_RAIDZ = {None: "", 0: "", 1: "mirror", 5: "raidz1", 6: "raidz2"}


@dataclass(frozen=True, slots=True)
class Uplink:
    """A server's place in the network, as Robot tells it.

    Attributes:
        address: the main IPv4 address.
        prefix: of its network.
        gateway: of that network.
        network6: the IPv6 subnet; empty: none.
    """

    address: str
    prefix: int
    gateway: str
    network6: str = ""


def installimage_config(spec: InstallationSpec) -> str:
    """Return the file for ``installimage -c``."""
    profile = spec.profile
    lines = [f"DRIVE{index} /dev/{drive}" for index, drive in enumerate(profile.drives, 1)]
    lines.append(f"SWRAID {int(profile.raid_level is not None)}")
    if profile.raid_level is not None:
        lines.append(f"SWRAIDLEVEL {profile.raid_level}")
    lines += ["BOOTLOADER grub", f"HOSTNAME {spec.hostname}", *_partitions(profile), f"IMAGE {IMAGES}/{profile.image}"]
    return "\n".join(lines) + "\n"


def _partitions(profile: InstallationProfile) -> list[str]:
    lines = ["PART /boot/efi esp 256M"] if profile.uefi else []
    lines.append("PART /boot ext3 1G")
    if profile.layout is StorageLayout.ZFS:  # the rest of each drive is left for the pool
        return [*lines, f"PART swap swap {profile.swap_gib}G", f"PART / ext4 {profile.root_gib}G"]
    volumes = [f"LV pve root / ext4 {profile.root_gib}G", f"LV pve swap swap swap {profile.swap_gib}G"]
    return [*lines, "PART lvm pve all", *volumes]


def post_install_script(spec: InstallationSpec, uplink: Uplink, public_key: str) -> str:
    """Return the script for ``installimage -x``: it runs in the new system, and there is no secret in it.

    root's password is not here: installimage takes over the hash that the rescue system's root has.
    """
    parts = [
        _HEAD,
        _file("/etc/hostname", f"{spec.name}\n"),
        _file("/etc/hosts", _hosts(spec, uplink)),
        _PACKAGES,
        _NETWORK_CARD,
        _file("/etc/network/interfaces", _interfaces(uplink)),
        _file("/root/.ssh/authorized_keys", f"{public_key.strip()}\n"),
        _file("/etc/ssh/sshd_config.d/slipway.conf", "PermitRootLogin prohibit-password\n"),
        _file("/usr/local/sbin/slipway-first-boot", _first_boot(spec.profile)),
        _file("/etc/systemd/system/slipway-first-boot.service", _FIRST_BOOT_UNIT),
        _TAIL,
    ]
    return "\n".join(parts)


def _file(path: str, content: str) -> str:
    """Write a file, whatever is in it: nothing of the content is the shell's."""
    return f"install -D -m 0644 /dev/null {path}\nprintf '%s' {shlex.quote(content)} >{path}\n"


def _hosts(spec: InstallationSpec, uplink: Uplink) -> str:
    """Proxmox VE refuses a host name that resolves to a loopback address."""
    names = f"{spec.hostname} {spec.name}"
    return f"127.0.0.1 localhost\n{uplink.address} {names}\n::1 localhost ip6-localhost ip6-loopback\n"


def _interfaces(uplink: Uplink) -> str:
    lines = [
        "auto lo",
        "iface lo inet loopback",
        "",
        "iface nic0 inet manual",
        "",
        "auto vmbr0",
        "iface vmbr0 inet static",
        f"    address {uplink.address}/{uplink.prefix}",
        f"    gateway {uplink.gateway}",
        "    bridge-ports nic0",
        "    bridge-stp off",
        "    bridge-fd 0",
    ]
    if uplink.network6:
        first = ipaddress.IPv6Network(f"{uplink.network6}/64")[2]
        lines += ["", "iface vmbr0 inet6 static", f"    address {first}/64", "    gateway fe80::1"]
    return "\n".join([*lines, "", "source /etc/network/interfaces.d/*", ""])


def _first_boot(profile: InstallationProfile) -> str:
    """What needs the new system's own kernel. Run again, it leaves alone what is there."""
    if profile.layout is StorageLayout.LVM_THIN:
        made = "lvs pve/data >/dev/null 2>&1 || lvcreate --yes --type thin-pool --extents 95%FREE --name data pve"
        return f"#!/bin/sh\nset -eu\n{made}\n"
    labels = [f"slipway-data-{index}" for index in range(len(profile.drives))]
    lines = ["#!/bin/sh", "set -eu", "if zpool list data >/dev/null 2>&1; then exit 0; fi"]
    lines += [
        f"test -e /dev/disk/by-partlabel/{label} || "
        f"sgdisk --new=0:0:0 --typecode=0:bf01 --change-name=0:{label} /dev/{drive}"
        for label, drive in zip(labels, profile.drives, strict=True)
    ]
    devices = [f"/dev/disk/by-partlabel/{label}" for label in labels]
    pool = "zpool create -o ashift=12 -O compression=lz4 -O acltype=posixacl -O xattr=sa data"
    return "\n".join([*lines, "partprobe", "udevadm settle", f"{pool} {_vdevs(profile.raid_level, devices)}", ""])


def _vdevs(level: int | None, devices: list[str]) -> str:
    if level == 10:  # noqa: PLR2004 - a stripe over mirrors
        pairs = zip(devices[::2], devices[1::2], strict=True)
        return " ".join(f"mirror {one} {other}" for one, other in pairs)
    return f"{_RAIDZ[level]} {' '.join(devices)}".strip()


_HEAD = """#!/bin/bash
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# Nothing may be started in here: the kernel is the rescue system's.
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
"""
_PACKAGES = f"""apt-get update
apt-get --yes install ca-certificates curl gdisk parted
curl --fail --silent --show-error --location --retry 5 \\
    --output /usr/share/keyrings/proxmox-archive-keyring.gpg {KEYRING_URL}
echo '{KEYRING_SHA256}  /usr/share/keyrings/proxmox-archive-keyring.gpg' | sha256sum --check --quiet
printf '%s\\n' 'Types: deb' 'URIs: http://download.proxmox.com/debian/pve' 'Suites: trixie' \\
    'Components: pve-no-subscription' 'Signed-By: /usr/share/keyrings/proxmox-archive-keyring.gpg' \\
    >/etc/apt/sources.list.d/proxmox.sources
echo 'postfix postfix/main_mailer_type select Local only' | debconf-set-selections
apt-get update
apt-get --yes -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold full-upgrade
apt-get --yes -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install \\
    proxmox-ve postfix open-iscsi chrony ifupdown2
apt-get --yes purge os-prober || true
rm -f /etc/apt/sources.list.d/pve-enterprise.sources /etc/apt/sources.list.d/ceph.sources
"""
_NETWORK_CARD = """# The card that carries the default route gets a name that no later kernel changes.
card=$(ip -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | head -n 1)
install -D -m 0644 /dev/null /etc/systemd/network/10-nic0.link
mac=$(cat "/sys/class/net/$card/address")
printf '[Match]\\nPermanentMACAddress=%s\\nType=ether\\n\\n[Link]\\nName=nic0\\n' "$mac" \\
    >/etc/systemd/network/10-nic0.link
systemctl disable systemd-networkd.service systemd-networkd.socket 2>/dev/null || true
"""
_FIRST_BOOT_UNIT = """[Unit]
Description=Make the room beside the system into storage, once
ConditionPathExists=!/var/lib/slipway/first-boot-done
Before=pve-guests.service

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/slipway-first-boot
ExecStartPost=/usr/bin/install -D -m 0644 /dev/null /var/lib/slipway/first-boot-done

[Install]
WantedBy=multi-user.target
"""
_TAIL = """chmod 0700 /root/.ssh
chmod 0600 /root/.ssh/authorized_keys
chmod 0755 /usr/local/sbin/slipway-first-boot
systemctl enable slipway-first-boot.service
rm /usr/sbin/policy-rc.d
update-initramfs -u
update-grub
"""
