"""What boots by UEFI: a machine's firmware (OVMF), and a disk with GRUB in an EFI system partition."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from lab.metal.tools import MetalLabError, run

SECTOR = 512
"""Bytes of a sector of the lab's disks."""
LOADER = "EFI/BOOT/BOOTX64.EFI"
"""What firmware starts of a disk that has no entry in its boot order (UEFI specification, 3.5.1.1)."""
SYSTEM_START, SYSTEM_SECTORS = 2048, 8 * 2048
"""Where the EFI system partition lies, in sectors; the system's own comes after it."""
TAIL_SECTORS = 2048
"""At the end of the disk, for the second table."""
_FIRMWARE = Path("/usr/share/OVMF")
_CODE, _VARIABLES = "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"
_MODULES = ("part_gpt", "fat", "ext2", "linux", "normal")


def uefi_drives(folder: Path) -> Sequence[str]:
    """QEMU's options for UEFI firmware; what it remembers, its boot order above all, stays in a file of the folder.

    Raises:
        MetalLabError: Debian's package ovmf is not installed.
    """
    own = _remembered(folder)
    if not own.exists():
        if not (_FIRMWARE / _VARIABLES).exists():
            raise MetalLabError(f"there is no {_FIRMWARE / _VARIABLES}: `make metal-tools` as root installs it")
        shutil.copyfile(_FIRMWARE / _VARIABLES, own)
    return (
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_FIRMWARE / _CODE}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={own}"),
        # It would wait for an answer by IPv6 before it gives the network up.
        *("-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"),
    )


def boot_variables(folder: Path) -> bytes:
    """What a machine's firmware remembers: names of boot entries are in it as UTF-16."""
    return _remembered(folder).read_bytes()


def _remembered(folder: Path) -> Path:
    return folder / "uefi-variables.fd"


def make_uefi_bootable(tree: Path, raw: Path, grub_config: str) -> None:
    """A GUID partition table, and GRUB in an EFI system partition before that of the system.

    Args:
        tree: with Debian's grub-efi-amd64-bin unpacked.
        raw: a disk image whose system lies after ``SYSTEM_SECTORS``.
        grub_config: what GRUB does at once, without a menu.
    """
    work = tree.parent
    config, loader, system = work / "efi.cfg", work / "loader.efi", work / "system.img"
    config.write_text(grub_config, encoding="utf-8")
    run(
        [
            *("grub-mkimage", "-O", "x86_64-efi", "-d", str(tree / "usr/lib/grub/x86_64-efi")),
            *("-p", "/EFI/BOOT", "-c", str(config), "-o", str(loader), *_MODULES),
        ]
    )
    run(["mformat", "-C", "-i", str(system), "-T", str(SYSTEM_SECTORS), "-h", "16", "-s", "32", "::"])
    for folder in ("::/EFI", "::/EFI/BOOT"):
        run(["mmd", "-i", str(system), folder])
    run(["mcopy", "-i", str(system), str(loader), f"::/{LOADER}"])
    with raw.open("r+b") as disk:
        disk.seek(SYSTEM_START * SECTOR)
        disk.write(system.read_bytes())
    start = SYSTEM_START + SYSTEM_SECTORS
    table = f"label: gpt\nstart={SYSTEM_START}, size={SYSTEM_SECTORS}, type=uefi\nstart={start}, type=linux\n"
    run(["sfdisk", "--quiet", str(raw)], told=table)
