"""What every way of obtaining parts has in common."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from automation.toolchain.parts import Origin, PartSpec
from automation.toolchain.progress import Progress


class Source(Protocol):
    """A place that parts come from."""

    @property
    def origin(self) -> Origin:
        """What to record for a part from here."""

    def obtain(self, wanted: Sequence[PartSpec], cli: Path | None, progress: Progress) -> dict[str, Path]:
        """Executables of those of ``wanted`` that this source has, by name; may block for minutes.

        Args:
            wanted: what is still lacking.
            cli: the CLI, where an earlier source had it.
            progress: told about every step.
        """


class SourceError(RuntimeError):
    """A source that should have had a part failed to give it; the message says why."""
