"""The program with which a hosting provider's rescue system, whatever it is made of, starts the deployer."""

import gzip
import io
import tarfile
from pathlib import Path

from pxe.deployer.libraries import find_program, libraries

FOLDER = "kexec.d"
"""In the archive: ``kexec``, the loader, and all libraries, so that nothing of the system around it is used."""
_MODE = 0o755


def write_kexec(tree: Path, target: Path) -> None:
    """Pack the program into a compressed archive; the same files make the same bytes.

    Raises:
        DeployerError: a library is in none of the packages.
    """
    program = find_program(tree, "kexec")
    parts = {"kexec": program, **libraries(tree, [program])}
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, path in sorted(parts.items()):
            content = path.read_bytes()
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size, member.mode = len(content), _MODE
            archive.addfile(member, io.BytesIO(content))
