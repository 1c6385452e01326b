"""The Go compiler: found, and run with its progress told."""

import collections
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.toolchain.progress import Progress
from automation.toolchain.source import SourceError

_USUAL_PLACE = Path("/usr/local/go/bin/go")
_KEPT_LINES = 25


def find_go(environment: Mapping[str, str] | None = None) -> Path | None:
    """``go`` on ``PATH``, else where its own installer puts it."""
    found = shutil.which("go", path=(os.environ if environment is None else environment).get("PATH", ""))
    if found:
        return Path(found)
    return _USUAL_PLACE if os.access(_USUAL_PLACE, os.X_OK) else None


@dataclass(frozen=True, slots=True)
class GoCompiler:
    """Builds programs of one module after the other.

    Attributes:
        command: the ``go`` program.
    """

    command: Path

    def build(
        self,
        module: Path,
        packages: Sequence[str],
        output: Path,
        progress: Progress,
        *,
        ldflags: str = "-s -w",
    ) -> None:
        """Compile ``packages`` of the module into ``output``; blocks for minutes with a cold cache.

        Args:
            module: folder of ``go.mod``; only what its ``go.sum`` names is downloaded and compiled.
            packages: import paths or ``./relative`` ones.
            output: a file for one package, a folder (ending in ``/`` or existing) for several.
            progress: told about every package.
            ldflags: for the linker; the default leaves out symbols and debug information.

        Raises:
            SourceError: with the compiler's last lines.
        """
        command = [
            str(self.command), "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly",
            "-ldflags", ldflags, "-o", str(output), *packages,
        ]  # fmt: skip
        # Without cgo there is no need of a C compiler, and the programs run on any Linux.
        environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
        last: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        with subprocess.Popen(
            command,
            cwd=module,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                last.append(line.rstrip())
                progress.detail(line.strip())
        if process.returncode != 0:
            raise SourceError(f"`go build {' '.join(packages)}` failed:\n" + "\n".join(last))
