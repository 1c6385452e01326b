"""Progress on a terminal."""

import io

from rich.console import Console

from automation.toolchain.display import LiveProgress, progress_for
from automation.toolchain.progress import LineProgress


def test_finished_steps_stay_with_a_tick() -> None:
    """The terminal shows what was done."""
    stream = io.StringIO()
    progress = LiveProgress(Console(file=stream, force_terminal=True, width=100))
    progress.step("Building one")
    progress.detail("some/package")
    progress.step("Building two")
    progress.close()
    shown = stream.getvalue()
    last = shown[shown.rindex("Building one") :]
    assert "✓" in shown
    assert "Building two" in last


def test_a_stream_that_is_no_terminal_gets_lines() -> None:
    """Continuous integration, a log file."""
    assert isinstance(progress_for(io.StringIO()), LineProgress)
