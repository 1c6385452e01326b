"""Which shared libraries programs need, asked of the unpacked tree's own loader: this machine's are not looked at."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from pxe.deployer.errors import DeployerError

_FOLDERS = ("usr/sbin", "sbin", "usr/bin", "bin")
_LIBRARY_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/systemd")
_LOADER = "ld-linux-x86-64.so.2"


def find_program(tree: Path, name: str) -> Path:
    """The file of a program in an unpacked tree.

    Raises:
        DeployerError: no package in the tree has it.
    """
    for folder in _FOLDERS:
        if (tree / folder / name).exists():
            return (tree / folder / name).resolve()
    raise DeployerError(f"None of the recipe's packages has the program {name}.")


def libraries(tree: Path, programs: Iterable[Path]) -> dict[str, Path]:
    """The libraries that programs need, by the name under which they are looked for; with the loader itself.

    Raises:
        DeployerError: one is in none of the packages.
    """
    loader = (tree / "lib/x86_64-linux-gnu" / _LOADER).resolve()
    found = {_LOADER: loader}
    path = ":".join(str(tree / folder) for folder in _LIBRARY_FOLDERS)
    for program in programs:
        command = [str(loader), "--library-path", path, "--inhibit-cache", "--list", str(program)]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        for line in said.stdout.splitlines():
            name, arrow, rest = line.strip().partition(" => ")
            if not arrow or name.endswith(_LOADER):
                continue
            place = Path(rest.split(" (")[0])
            if not place.is_relative_to(tree):
                raise DeployerError(f"{program.name} needs {name}, which is in none of the recipe's packages.")
            found[name] = place.resolve()
        if said.returncode != 0:
            raise DeployerError(f"What {program.name} needs is in none of the recipe's packages: {said.stderr.strip()}")
    return found
