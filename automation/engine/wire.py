"""What is said over the host's socket: one JSON document a line.

The caller sends a ``Request``; the child answers with its identity; the caller sends ``GO``; the host reports the exit.
Secrets travel here and nowhere else: not on a command line, not in a file.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from automation.engine.contract import EngineAction, EngineJob

RECOVER = "recover"
GO = b"go\n"
_LONGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one engine operation.

    Attributes:
        grace_seconds: from the interrupt to the kill: how long a provider's step may still take.
        memory_bytes: data segment (``RLIMIT_DATA``) of each process of the operation. Not ``RLIMIT_AS``: the Go
            runtime reserves far more address space than it uses.
        parallel: how many resources the engine works on at once.
    """

    grace_seconds: float = 120.0
    memory_bytes: int = 2 * 1024**3
    parallel: int = 4


@dataclass(frozen=True, slots=True)
class Request:
    """All that a child needs to know.

    Attributes:
        action: an ``EngineAction`` value, or ``RECOVER``.
        project: the Pulumi project that all stacks belong to.
        program: ``module:name`` of a callable that takes the spec document and returns the Pulumi program.
        pulumi: path of the CLI.
    """

    job: EngineJob
    action: str
    directory: Path
    project: str
    program: str
    pulumi: Path
    environment: Mapping[str, str] = field(repr=False)
    limits: Limits = field(default_factory=Limits)

    def encode(self) -> bytes:
        """Write the request as one line."""
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> "Request":
        """Read what ``encode`` wrote."""
        document: dict[str, Any] = json.loads(line)
        job = document.pop("job")
        job.update(action=EngineAction(job["action"]), work_root=Path(job["work_root"]))
        for name in ("directory", "pulumi"):
            document[name] = Path(document[name])
        return cls(job=EngineJob(**job), limits=Limits(**document.pop("limits")), **document)


def read_line(connection: socket.socket) -> bytes:
    """Read up to a newline, byte for byte beyond nothing: what follows belongs to the next reader.

    Blocks. Returns an empty string if the other side closed before a whole line.

    Raises:
        ValueError: if the line is longer than any request can be.
    """
    line = bytearray()
    while not line.endswith(b"\n"):
        peeked = connection.recv(65536, socket.MSG_PEEK)
        if not peeked:
            return b""
        end = peeked.find(b"\n") + 1
        line += connection.recv(end or len(peeked))
        if len(line) > _LONGEST:
            raise ValueError("a request of more than 4 MiB")
    return bytes(line)
