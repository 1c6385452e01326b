"""What the lab's machines need of this computer: root, and programs of Debian's."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = ("qemu-system-x86_64", "qemu-img", "ip", "dnsmasq", "depmod", "apt-get", "dpkg-deb")
_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"


class MetalLabError(RuntimeError):
    """The lab's machines cannot do what was asked; the message says what this computer lacks."""


def program(name: str) -> str:
    """The path of a program, also where only root's PATH looks.

    Raises:
        MetalLabError: it is not installed.
    """
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise MetalLabError(f"there is no {name}: `make metal-tools` as root installs it")
    return found


def missing() -> str | None:
    """Why no machine can run here, or None. Does not block."""
    if os.geteuid() != 0:
        return "network namespaces and tap devices need root"
    lacking = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if lacking:
        return f"there is no {', '.join(lacking)}: `make metal-tools` as root installs it"
    if not os.path.exists("/dev/net/tun"):  # noqa: PTH110 - a device
        return "there is no /dev/net/tun: this computer's kernel has no tap devices"
    probe = subprocess.run([program("unshare"), "--net", "true"], capture_output=True, timeout=10, check=False)
    return None if probe.returncode == 0 else "network namespaces are not allowed here"


def run(
    command: Sequence[str], *, ok: bool = True, seconds: float = 60.0, folder: Path | None = None, told: str = ""
) -> str:
    """Run a program to its end, in a folder, tell it something, and return what it said; blocks.

    Raises:
        MetalLabError: it failed, unless ``ok`` is false.
    """
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        cwd=folder,
        input=told,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if ok and done.returncode != 0:
        raise MetalLabError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
