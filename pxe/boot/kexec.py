"""What a rescue system is told that is to start the deployer in its own place: pure.

Lines of ``name=value`` that a shell cuts and compares, and never evaluates. Only values of ours are in them.
"""

import re
from collections.abc import Mapping

from api.machines.netboot.scripts import BootFromDisk, BootFromNetwork
from components.specs.machine import ImageFormat
from pxe.boot.ipxe import deployer_arguments

_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:;_()'-]")
_NO_INSTALLER = "a distribution's installer is not started through a rescue system: order an image of the deployer's"


def render_nothing(why: str) -> str:
    """Return the document of a machine for which there is nothing to boot."""
    return f"nothing={_UNSAFE.sub('', why)}\n"


def render_kexec(boot: BootFromDisk | BootFromNetwork, base_url: str, sums: Mapping[str, str]) -> str:
    """Return what is to be loaded, and how it is recognised.

    Args:
        boot: what was decided.
        base_url: where the boot service is.
        sums: SHA-256 of the deployer's files, by name.
    """
    if isinstance(boot, BootFromDisk):
        return render_nothing(boot.why)
    if boot.format is not ImageFormat.RAW:
        return render_nothing(_NO_INSTALLER)
    files = [f"{name}={base_url}/boot/{name}\n{name}_sha256={digest}\n" for name, digest in sums.items()]
    return "".join([*files, f"arguments={deployer_arguments(boot, base_url)}\n"])
