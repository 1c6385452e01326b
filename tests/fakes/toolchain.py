"""Stand-ins for the toolchain's surroundings: programs, a compiler, a place that has parts, an onlooker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from automation.toolchain.parts import Origin, PartSpec
from automation.toolchain.progress import Progress


def write_executable(path: Path, body: str = "") -> Path:
    """Write a shell script and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def write_go_compiler(path: Path, body: str = "") -> Path:
    """Write a ``go`` that notes its arguments in ``go.log`` beside it and makes a script of what it is asked to build.

    The script writes the two files that the providers' schema tool writes, where it is given a folder.

    Args:
        path: of the program.
        body: run before anything is made; ``exit 1`` for a failure.
    """
    return write_executable(
        path,
        f"""
        echo "$PWD: $*" >> "{path.parent}/go.log"
        echo some/package
        {body}
        while [ $# -gt 0 ]; do if [ "$1" = "-o" ]; then output="$2"; fi; shift; done
        printf '#!/bin/sh\\nif [ -d "$2" ]; then echo "{{}}" > "$2/schema.json"; fi\\n' > "$output"
        chmod +x "$output"
        """,
    )


@dataclass
class FixedSource:
    """Has certain parts, and remembers what it was asked for.

    Attributes:
        origin: what to record.
        paths: executables by name.
        error: raised instead of giving anything.
        asked: names wanted, a list a request.
        clis: the CLI it was told of, an entry a request.
    """

    origin: Origin
    paths: Mapping[str, Path]
    error: Exception | None = None
    asked: list[list[str]] = field(default_factory=list)
    clis: list[Path | None] = field(default_factory=list)

    def obtain(self, wanted: Sequence[PartSpec], cli: Path | None, progress: Progress) -> dict[str, Path]:
        """Give what there is of ``wanted``."""
        progress.step(f"Asking for {len(wanted)} parts")
        self.asked.append([spec.name for spec in wanted])
        self.clis.append(cli)
        if self.error is not None:
            raise self.error
        return {spec.name: self.paths[spec.name] for spec in wanted if spec.name in self.paths}


@dataclass
class RecordingProgress:
    """Remembers what it was told."""

    steps: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    closed: bool = False

    def step(self, title: str) -> None:
        """Note a step."""
        self.steps.append(title)

    def detail(self, text: str) -> None:
        """Note a sign of life."""
        self.details.append(text)

    def close(self) -> None:
        """Note the end."""
        self.closed = True
