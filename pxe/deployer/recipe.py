"""What the deployer is made of: Debian's packages, programs, kernel modules, and our scripts."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "initrd"
"""``init`` becomes the first process; everything else lies in ``/lib/slipway``."""

_LIBRARIES = (
    "libc6",
    "libblkid1",
    "libcap2",
    "libcom-err2",
    "libcrypt1",
    "libefiboot1",
    "libefivar1",
    "libext2fs2",
    "libfdisk1",
    "libgmp10",
    "libmount1",
    "libpcre2-8-0",
    "libpopt0",
    "libreadline8",
    "libselinux1",
    "libsmartcols1",
    "libss2",
    "libtinfo6",
    "libtomcrypt1",
    "libtommath1",
    "libudev1",
    "libuuid1",
    "zlib1g",
)
# kexec-tools and what it needs.
_KEXEC = (
    "kexec-tools",
    "libxencall1",
    "libxendevicemodel1",
    "libxenevtchn1",
    "libxenforeignmemory1",
    "libxengnttab1",
    "libxenmisc4.17",
    "libxentoolcore1",
    "libxentoollog1",
)
_TOOLS = ("busybox-static", "dropbear-bin", "e2fsprogs", "efibootmgr", "fdisk", "hdparm", "mdadm", "util-linux")
_PROGRAMS = (
    "blkdiscard",
    "blkid",
    "dropbear",
    "e2fsck",
    "efibootmgr",
    "hdparm",
    "mdadm",
    "resize2fs",
    "sfdisk",
)
# Disk controllers, cards and file systems; a kernel that has not one of them as a module is fine.
_MODULES = (
    "8021q",
    "ahci",
    "ata_piix",
    "crc32c_generic",
    "crc32c-intel",
    "e1000",
    "e1000e",
    "efivarfs",
    "ena",
    "ext4",
    "hv_netvsc",
    "hv_storvsc",
    "md-mod",
    "net_failover",
    "nls_ascii",
    "nls_cp437",
    "nls_iso8859-1",
    "nvme",
    "raid1",
    "sd_mod",
    "vfat",
    "virtio_blk",
    "virtio_net",
    "virtio_pci",
    "virtio_scsi",
    "xfs",
)
_IRON_MODULES = (
    "aacraid",
    "be2net",
    "bnx2",
    "bnx2x",
    "bnxt_en",
    "hpsa",
    "i40e",
    "ice",
    "igb",
    "igc",
    "ixgbe",
    "megaraid_sas",
    "mlx4_en",
    "mlx5_core",
    "mpt3sas",
    "r8169",
    "smartpqi",
    "tg3",
)
# nvme-cli and what it needs.
_NVME = (
    "libdbus-1-3",
    "libgcrypt20",
    "libgpg-error0",
    "libjson-c5",
    "liblz4-1",
    "liblzma5",
    "libnvme1",
    "libssl3",
    "libsystemd0",
    "libzstd1",
    "nvme-cli",
)


@dataclass(frozen=True)
class Recipe:
    """One kind of deployer.

    Attributes:
        kernel: Debian's package of the kernel, or one that depends on it.
        packages: where programs and libraries come from.
        programs: what is copied from them, each with the libraries that it needs.
        modules: of the kernel, with those that they depend on.
    """

    name: str
    kernel: str
    packages: tuple[str, ...] = _TOOLS + _LIBRARIES + _KEXEC
    programs: tuple[str, ...] = _PROGRAMS
    modules: tuple[str, ...] = _MODULES

    def digest(self) -> str:
        """A short name for all that decides the result, but for the versions of Debian's packages."""
        whole = hashlib.sha256(repr(self).encode())
        for path in sorted([*SCRIPTS.iterdir(), *Path(__file__).parent.glob("*.py")]):
            whole.update(f"{path.name}\0".encode())
            whole.update(path.read_bytes())
        return whole.hexdigest()[:16]


CLOUD = Recipe("cloud", "linux-image-cloud-amd64")
"""For machines of virtual hardware: small, and boots fast."""

IRON = Recipe(
    "iron",
    "linux-image-amd64",
    packages=_TOOLS + _LIBRARIES + _KEXEC + _NVME,
    programs=(*_PROGRAMS, "nvme"),
    modules=_MODULES + _IRON_MODULES,
)
"""For real servers: drivers of their disk controllers and cards, and the secure erase of NVMe drives."""
