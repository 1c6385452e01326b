"""Boot scripts in iPXE's language: pure. Only values of ours are in them: addresses, ids, tokens, MAC addresses."""

import ipaddress
import re
from contextlib import suppress
from urllib.parse import urlsplit

from api.machines.netboot.scripts import BootFromDisk, BootFromNetwork
from components.specs.machine import ImageFormat

_TRIES = 6
_PATIENT = "no_timer_check loglevel=4"
"""On a busy host the kernel's test of its timer fails in an emulated machine, and it stops; real ones do not mind."""
_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:;_()'-]")
_LOCAL = """\
#!ipxe
echo Slipway: {why}; starting from this machine's own disk
iseq ${{platform}} efi && exit 1 ||
sanboot --no-describe --drive 0x80 || exit
"""
_NETWORK = """\
#!ipxe
echo Slipway: {what}
set tries:int32 0
:again
imgfree
kernel {kernel} {arguments} initrd=initrd || goto wait
initrd --name initrd {initrd} || goto wait
boot || goto wait
:wait
inc tries
iseq ${{tries}} {tries} && goto given_up ||
echo Slipway: could not be loaded; again in 5 seconds
sleep 5
goto again
:given_up
echo Slipway: could not be loaded
exit 1
"""


def render_local(boot: BootFromDisk) -> str:
    """Return a script that boots the first disk; UEFI firmware does that by itself when the script ends.

    With an error: after a success firmware may stay in its menu (UEFI specification, 3.1.1), as EDK II's does.
    """
    return _LOCAL.format(why=_UNSAFE.sub("", boot.why))


def render_network(boot: BootFromNetwork, base_url: str, extra: str = "") -> str:
    """Return a script that loads what a deployment needs.

    Args:
        boot: which.
        base_url: where the boot service is.
        extra: an installer's own kernel arguments.
    """
    if boot.format is ImageFormat.RAW:
        folder, arguments = f"{base_url}/boot", deployer_arguments(boot, base_url)
    else:
        folder, arguments = f"{base_url}/boot/installers/{boot.image_name}", _installer_arguments(boot, base_url)
    return _NETWORK.format(
        what=f"{boot.kind} by {boot.format}",
        kernel=f"{folder}/kernel",
        initrd=f"{folder}/initrd",
        arguments=f"{arguments} {extra}".strip(),
        tries=_TRIES,
    )


def deployer_arguments(boot: BootFromNetwork, base_url: str) -> str:
    """Return the deployer's kernel arguments, however its kernel is started."""
    return (
        f"slipway.url={base_url} slipway.deployment={boot.deployment_id} slipway.token={boot.token} "
        f"slipway.mac={boot.mac} console=ttyS0 {_PATIENT}"
    )


def _installer_arguments(boot: BootFromNetwork, base_url: str) -> str:
    seed = f"{base_url}/seed/{boot.token}"
    card = f"BOOTIF=01-{boot.mac.replace(':', '-')}"
    match boot.format:
        case ImageFormat.INSTALLER_DEBIAN:
            return (
                f"auto=true priority=critical DEBIAN_FRONTEND=text url={seed}/preseed.cfg interface=auto {card} "
                f"{_own_network(base_url)} console=ttyS0 {_PATIENT}"
            )
        case ImageFormat.INSTALLER_UBUNTU:
            return f"autoinstall ds=nocloud-net;s={seed}/ ip=dhcp {card} console=ttyS0"
        case ImageFormat.INSTALLER_ROCKY:
            return f"inst.ks={seed}/ks.cfg inst.text ip=dhcp {card} console=ttyS0"
        case ImageFormat.INSTALLER_PROXMOX:
            return f"proxmox-start-auto-installer slipway.answer={seed}/answer.toml {card} console=ttyS0"
        case ImageFormat.RAW:
            raise ValueError("a raw image is written by the deployer")


def _own_network(base_url: str) -> str:
    """What Debian's installer has to know before it has its preseed file.

    A proxy for the mirror is not one for us. It asks for a name server, and waits, if DHCP gives none (what DHCP gives
    is used before this); one that is not there does no harm where the mirror is reached by its address or a proxy.
    """
    host = urlsplit(base_url).hostname or ""
    told = f"no_proxy={host}"
    with suppress(ValueError):
        told = f"netcfg/get_nameservers={ipaddress.IPv4Address(host)} {told}"
    return told
