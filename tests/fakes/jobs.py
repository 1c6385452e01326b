"""A job queue that remembers instead of sending."""

from collections.abc import Callable
from uuid import UUID

from api.jobs import Job


class RecordingJobQueue:
    """Implements ``api.jobs.JobQueue``; ``sent`` holds what was enqueued, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[Job, tuple[str | UUID, ...]]] = []
        self._served: dict[Job, Callable[..., object]] = {}

    def enqueue(self, job: Job, *arguments: str | UUID) -> None:
        """Remember the job, and do it at once if somebody serves it."""
        self.sent.append((job, arguments))
        if job in self._served:
            self._served[job](*arguments)

    def serve(self, job: Job, function: Callable[..., object]) -> None:
        """Have a job done in the moment it is sent, as an idle worker would."""
        self._served[job] = function

    def of(self, job: Job) -> list[tuple[str | UUID, ...]]:
        """Return the arguments of each time ``job`` was sent."""
        return [arguments for sent, arguments in self.sent if sent is job]
