"""A job queue that remembers instead of sending."""

from uuid import UUID

from api.jobs import Job


class RecordingJobQueue:
    """Implements ``api.jobs.JobQueue``; ``sent`` holds what was enqueued, in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[Job, tuple[str | UUID, ...]]] = []

    def enqueue(self, job: Job, *arguments: str | UUID) -> None:
        """Remember the job."""
        self.sent.append((job, arguments))

    def of(self, job: Job) -> list[tuple[str | UUID, ...]]:
        """Return the arguments of each time ``job`` was sent."""
        return [arguments for sent, arguments in self.sent if sent is job]
