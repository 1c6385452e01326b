"""What a terminal shows of long work."""

import sys
from typing import TextIO

from rich.console import Console
from rich.progress import Progress as RichBar
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from automation.toolchain.progress import LineProgress, Progress


class LiveProgress:
    """A spinner with the step, what it is at and the time it took."""

    def __init__(self, console: Console) -> None:
        self._bar = RichBar(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[at]}", justify="left"),
            console=console,
        )
        self._task: TaskID | None = None
        self._count = 0

    def step(self, title: str) -> None:
        """Tick off the last step and begin this one."""
        self._finish()
        self._bar.start()
        self._count = 0
        self._task = self._bar.add_task(title, total=1, at="")

    def detail(self, text: str) -> None:
        """Show how many are done and the one at hand."""
        self._count += 1
        if self._task is not None:
            self._bar.update(self._task, at=f"{self._count} done  {text[-60:]}")

    def close(self) -> None:
        """Tick off the last step and give the terminal back."""
        self._finish()
        self._bar.stop()

    def _finish(self) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=1, at="")
            self._task = None


def progress_for(stream: TextIO | None = None) -> Progress:
    """The live display on a terminal, plain lines otherwise."""
    stream = stream or sys.stderr
    console = Console(file=stream)
    return LiveProgress(console) if console.is_terminal else LineProgress(stream)
