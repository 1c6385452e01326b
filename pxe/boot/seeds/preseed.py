"""debian-installer's preseed file. Which mirror it uses is told by kernel arguments (the installer's ``arguments``).

Its format: ``owner question type value``, a value goes to the end of the line and needs no quoting, a backslash at a
line's end goes on in the next. So a value must have neither a line's end nor a backslash at its own.
"""

from api.machines.netboot.seeding import Seed
from components.specs.machine import DiskLayout
from pxe.boot.seeds.setup import encoded_setup, one_line

_COMMON = """\
d-i debian-installer/locale string en_US.UTF-8
d-i keyboard-configuration/xkb-keymap select us
d-i hw-detect/load_firmware boolean false
d-i mirror/country string manual
d-i base-installer/install-recommends boolean false
d-i apt-setup/enable-source-repositories boolean false
d-i clock-setup/utc boolean true
d-i time/zone string UTC
d-i passwd/root-login boolean true
d-i passwd/root-password-crypted password !!
d-i passwd/make-user boolean false
d-i partman-auto/choose_recipe select slipway
d-i partman-partitioning/default_label string gpt
d-i partman-partitioning/choose_label string gpt
d-i partman-partitioning/confirm_write_new_label boolean true
d-i partman/choose_partition select finish
d-i partman/confirm boolean true
d-i partman/confirm_nooverwrite boolean true
d-i partman-md/confirm boolean true
d-i partman-md/confirm_nooverwrite boolean true
d-i partman-md/device_remove_md boolean true
d-i partman-lvm/device_remove_lvm boolean true
d-i partman-basicfilesystems/no_swap boolean false
d-i partman-efi/non_efi_system boolean true
d-i pkgsel/upgrade select none
d-i pkgsel/run_tasksel boolean false
popularity-contest popularity-contest/participate boolean false
d-i grub-installer/only_debian boolean true
d-i finish-install/reboot_in_progress note
"""
"""Root's password is one that nobody has; a single '!' the installer takes for none, and asks (``user-setup-ask``)."""
_BOOT = "1 1 1 free $iflabel{ gpt } $reusemethod{ } method{ biosgrub } ."
_EFI = "512 512 512 free $iflabel{ gpt } $reusemethod{ } method{ efi } format{ } ."
_ROOT = "ext4 method{ format } format{ } use_filesystem{ } filesystem{ ext4 } mountpoint{ / } ."
_SINGLE = f"slipway :: {_BOOT} {_EFI} 1500 10000 -1 {_ROOT}"
_MIRROR = f"slipway :: {_BOOT} {_EFI} 1500 10000 -1 raid $lvmignore{{ }} method{{ raid }} ."

_SERIAL = "$(tr -cd 'A-Za-z0-9._-' </sys/class/dmi/id/product_serial)"
"""Without spaces around it, and nothing that a form would have to encode."""


def preseed(seed: Seed, token: str, base_url: str) -> str:
    """Return the file: the serial number is checked before anything else, and what ends in doubt switches off."""
    told = f"{base_url}/seed/{token}"
    settings = {
        "d-i preseed/early_command string": _early(told),
        "d-i netcfg/get_hostname string": seed.profile.hostname,
        "d-i partman/early_command string": _choose_disks(seed, told),
        "d-i partman-auto/method string": "regular" if seed.profile.layout is DiskLayout.SINGLE else "raid",
        "d-i partman-auto/expert_recipe string": _SINGLE if seed.profile.layout is DiskLayout.SINGLE else _MIRROR,
        "d-i pkgsel/include string": "openssh-server" if seed.profile.user == "root" else "openssh-server sudo",
        "d-i preseed/late_command string": _late(seed, told, base_url),
    }
    return _COMMON + "".join(f"{question} {value_of(value)}\n" for question, value in settings.items())


def value_of(text: str) -> str:
    """Return a text as a preseed value: one line, with no backslash at its end."""
    return one_line(text).rstrip("\\")


def _tell(told: str, phase: str, more: str = "") -> str:
    return f'wget -q -O /dev/null --tries=5 --post-data "phase={phase}{more}" {told}/phase'


def _tell_on_the_way(told: str) -> str:
    """Have the installer say how far it is: when disks are mounted, after debootstrap, and after kernel and apt."""
    hooks = {
        "/lib/partman/finish.d/99slipway": "the+base+system",
        "/usr/lib/base-installer.d/05slipway": "the+kernel",
        "/usr/lib/pre-pkgsel.d/05slipway": "the+other+packages",
    }
    lines = [
        f"mkdir -p {path.rpartition('/')[0]}; {{ echo '#!/bin/sh'; "
        f"echo '{_tell(told, 'write', f'&detail={detail}')} || true'; }} >{path}; chmod +x {path}"
        for path, detail in hooks.items()
    ]
    return "; ".join(lines)


def _early(told: str) -> str:
    off = "while true; do poweroff -f; sleep 60; done"
    return f"{_tell(told, 'inspect', f'&serial={_SERIAL}')} || {{ {off}; }}"


def _choose_disks(seed: Seed, told: str) -> str:
    """The smallest disk that is large enough, or the smallest two of one size; else the installer gives up."""
    sectors = -(-seed.profile.image.size_bytes // 512)
    listing = (
        "for d in /sys/block/*; do case ${d##*/} in sd*|vd*|nvme*|xvd*) "
        f"s=$(cat $d/size); [ $(cat $d/removable) = 0 ] && [ $s -ge {sectors} ] && echo $s ${{d##*/}};; esac; done "
        "| sort -n"
    )
    gone = (
        f'[ -n "$1" ] || {{ wget -q -O /dev/null --post-data "code=disk_too_small" {told}/failure; '
        "while true; do poweroff -f; sleep 60; done; }"
    )
    if seed.profile.layout is DiskLayout.SINGLE:
        return (
            f"set -- $({listing} | head -n 1 | cut -d ' ' -f 2); {gone}; "
            "debconf-set partman-auto/disk /dev/$1; debconf-set grub-installer/bootdev /dev/$1; "
            f"{_tell_on_the_way(told)}; {_tell(told, 'write', '&detail=partitions+on+$1')} || true"
        )
    # 'sda' has partition sda3, 'nvme0n1' has nvme0n1p3.
    pair = f'$({listing} | while read s d; do [ "$s" = "$b" ] && {{ echo $c $d; break; }}; b=$s c=$d; done)'
    part = "p() { case $1 in *[0-9]) echo /dev/${1}p3;; *) echo /dev/${1}3;; esac; }"
    return (
        f'set -- {pair}; {gone}; {part}; debconf-set partman-auto/disk "/dev/$1 /dev/$2"; '
        'debconf-set partman-auto-raid/recipe "1 2 0 ext4 / $(p $1)#$(p $2) ."; '
        f'debconf-set grub-installer/bootdev "/dev/$1 /dev/$2"; {_tell_on_the_way(told)}; '
        f"{_tell(told, 'write', '&detail=partitions+on+$1+and+$2')} || true"
    )


def _late(seed: Seed, told: str, base_url: str) -> str:
    setup = encoded_setup(seed, base_url)
    return (
        f"{_tell(told, 'configure')}; in-target /bin/sh -c '{setup}' || "
        f'{{ wget -q -O /dev/null --post-data "code=installer_failed" {told}/failure; false; }}; '
        f"{_tell(told, 'reboot')}"
    )
