"""Executables for the parts that are Python modules of this package or of the SDK."""

import os
import shlex
import sys
import tempfile
from pathlib import Path

from automation.toolchain.parts import CLOUDFLARE, DYNAMIC_PROVIDER, LANGUAGE_HOST, PartSpec

LAUNCHED = {
    LANGUAGE_HOST.name: "-P -m automation.toolchain.plugins.language",
    DYNAMIC_PROVIDER.name: "-P -m pulumi.dynamic",
    CLOUDFLARE.name: "-P -m automation.toolchain.plugins.cloudflare",
}
"""What each launcher gives the interpreter, by the executable's name.

``-P``: a module in the working directory must not take the place of one of ours or of Python's (the language host adds
the program's folder itself, and in ours ``platform`` would hide the standard library's). Classes of dynamic providers
are pickled by reference; ours are in packages that are installed.
"""

# -u: the engine reads the port from the first line at once.
_SCRIPT = """#!/bin/sh
exec {python} -u {module} "$@"
"""


def write_launcher(folder: Path, spec: PartSpec, python: str = sys.executable) -> Path:
    """Write the launcher of ``spec`` for the interpreter ``python``, unless the same one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / spec.name
    script = _SCRIPT.format(python=shlex.quote(python), module=LAUNCHED[spec.name])
    if path.exists() and path.read_text(encoding="utf-8") == script:
        return path
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=spec.name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(script)
    Path(temporary).chmod(0o755)
    Path(temporary).replace(path)
    return path
