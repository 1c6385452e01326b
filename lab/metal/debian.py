"""A real Debian as an image: systemd, ifupdown, OpenSSH, about 500 MB of files. Minutes to make, once."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock

from components.specs.machine import MachineImage
from lab.metal.images import LabImage, image_of, make_bootable
from lab.metal.tools import program, run
from pxe.deployer.build import cache_folder
from pxe.deployer.packages import PackageSource

NAME = "debian-12-lab"
"""Not that of a template in the catalogue: its slug is this."""
_RELEASE = "bookworm"
_SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_PACKAGES = (
    *("ifupdown", "iproute2", "linux-image-cloud-amd64", "openssh-server", "systemd-sysv", "udev", "initramfs-tools"),
    *("e2fsprogs", "mdadm", "ca-certificates", "curl", "less", "vim-tiny", "perl", "python3", "rsyslog", "sudo"),
)
_IMAGE_MIB = 640
_SECONDS = 1500.0
_LOCK_SECONDS = 1800.0
_COMMAND_LINE = "root=LABEL=slipway-root ro console=ttyS0 net.ifnames=0 no_timer_check loglevel=4 panic=5"


def ensure_debian(cache: Path | None = None) -> LabImage:
    """The image, made if it is not in the cache: minutes then. Needs root.

    Raises:
        MetalLabError: mmdebstrap is missing or failed.
    """
    root = (cache or cache_folder()) / "metal-images"
    # Newer packages are not looked for: whoever wants them removes the folder.
    place = root / f"{NAME}-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]}"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{NAME}.lock", timeout=_LOCK_SECONDS):
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=root, prefix="building-") as work:
                _build(Path(work))
                (Path(work) / "image").rename(place)
    described = json.loads((place / "image.json").read_text(encoding="utf-8"))
    return LabImage(place / f"{NAME}.raw.gz", MachineImage.model_validate(described))


def _build(work: Path) -> None:
    tree, root, folder = work / "tree", work / "root", work / "image"
    PackageSource(work).unpack(["grub-pc-bin"], tree)
    sources = [str(_SOURCES)] if _SOURCES.exists() else []
    run(
        [
            *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(_PACKAGES)}"),
            *("--aptopt=Apt::Install-Recommends false", _RELEASE, str(root), *sources),
        ],
        seconds=_SECONDS,
    )
    _tidy(root)
    kernel = next((root / "boot").glob("vmlinuz-*")).name
    version = kernel.removeprefix("vmlinuz-")
    config = f"set root=(hd0,msdos1)\nlinux /boot/{kernel} {_COMMAND_LINE}\ninitrd /boot/initrd.img-{version}\nboot\n"
    folder.mkdir()
    image = image_of(NAME, root, folder, _IMAGE_MIB, lambda raw: make_bootable(tree, raw, config))
    (folder / "image.json").write_text(image.model_dump_json(), encoding="utf-8")


def _tidy(root: Path) -> None:
    """What belongs to one machine, and what only fills the disk."""
    (root / "etc/slipway-image").write_text(f"{NAME}\n", encoding="utf-8")
    (root / "etc/machine-id").write_text("", encoding="utf-8")
    (root / "etc/fstab").write_text("LABEL=slipway-root / ext4 defaults 0 1\n", encoding="utf-8")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    unit = root / "etc/systemd/system/ssh-host-keys.service"
    unit.write_text(
        "[Unit]\nBefore=ssh.service\nConditionPathExists=!/etc/ssh/ssh_host_ed25519_key\n\n"
        "[Service]\nType=oneshot\nExecStart=/usr/bin/ssh-keygen -A\n\n[Install]\nWantedBy=multi-user.target\n",
        encoding="utf-8",
    )
    (unit.parent / "multi-user.target.wants").mkdir(exist_ok=True)
    (unit.parent / "multi-user.target.wants" / unit.name).symlink_to(f"../{unit.name}")
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
    for path in (root / "var/lib/apt/lists").glob("*_*"):
        path.unlink()


def is_possible() -> bool:
    """Whether this computer can make it: root, and mmdebstrap."""
    return os.geteuid() == 0 and shutil.which("mmdebstrap") is not None and bool(program("mke2fs"))
