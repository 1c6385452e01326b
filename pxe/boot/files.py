"""Serves large files so that nothing else of the process waits for them.

Reads happen in threads of their own, so that a slow disk cannot take the threads that phone-homes need; a machine that
takes nothing for too long is cut off; and so many files at once are the most.
"""

import hashlib
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import IO

import anyio
import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.errors import NotFound
from api.problems import ServiceUnavailable
from pxe.boot.protocol import SEND_FILE, SendFile
from pxe.boot.ranges import Span, Unsatisfiable, requested_span

_log = structlog.get_logger(__name__)

CHUNK = 1024 * 1024
"""Bytes read and sent at once: large, for each costs a change of threads."""
STRETCH = 16 * CHUNK
"""Bytes that the kernel is told to send at once."""
_LOOK = 4 * CHUNK
_READERS = 8
_HASH_CHUNK = 4 * CHUNK


class SlowClient(Exception):  # noqa: N818 - what it is
    """A machine has stopped to take what it asked for; all that is left is to cut the connection."""


@dataclass(frozen=True, slots=True)
class Served:
    """A file as it is served.

    Attributes:
        etag: strong, the SHA-256 in quotation marks.
    """

    path: Path
    etag: str
    media_type: str = "application/octet-stream"


class FileServer:
    """Makes answers of files.

    Args:
        downloads: so many at once.
        chunk_seconds: how long one chunk may take to be taken.
    """

    def __init__(self, downloads: int, chunk_seconds: float) -> None:
        self._downloads, self._seconds = downloads, chunk_seconds
        self._under_way = 0
        self._readers = CapacityLimiter(_READERS)
        self._digests: dict[tuple[str, int, int, int], str] = {}
        self._lock = Lock()

    def answer(self, served: Served) -> Response:
        """Return a response that sends this file, or the part of it that is asked for.

        Raises:
            ServiceUnavailable: if too many files are being sent.
        """
        if self._under_way >= self._downloads:
            raise ServiceUnavailable("too many files are being fetched: try again shortly")
        return _FileResponse(served, self)

    async def hashed(self, path: Path) -> Served:
        """Return a file with its SHA-256, which is computed once for each content.

        Raises:
            NotFound: if there is no such file.
        """
        return Served(path, await anyio.to_thread.run_sync(self._etag, path, limiter=self._readers))

    async def send(self, served: Served, scope: Scope, send: Send) -> None:
        """Send a file; counts as a download from here on.

        Raises:
            NotFound: if there is no such file.
            SlowClient: if it is not taken.
        """
        self._under_way += 1
        try:
            await self._send(served, scope, send)
        finally:
            self._under_way -= 1

    async def _send(self, served: Served, scope: Scope, send: Send) -> None:
        try:
            descriptor = await anyio.to_thread.run_sync(_open, served.path, limiter=self._readers)
        except OSError:
            raise NotFound("there is no such file") from None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            start, span = _head(served, Headers(scope=scope), os.fstat(descriptor).st_size)
            await send({"type": "http.response.start", **start})
            if scope["method"] != "HEAD" and span is not None:
                by_kernel: SendFile | None = scope.get(SEND_FILE)
                await (self._stream(file, span, send) if by_kernel is None else self._pass(file, span, by_kernel))
        await send({"type": "http.response.body", "body": b""})

    async def _pass(self, file: IO[bytes], span: Span, by_kernel: SendFile) -> None:
        """Let the kernel send, from memory: what is on the disk only is read in a thread first."""
        position = span.start
        while position < span.end:
            count = min(STRETCH, span.end - position)
            if not _is_in_memory(file.fileno(), position, count):
                await anyio.to_thread.run_sync(_read_ahead, file.fileno(), position, count, limiter=self._readers)
            try:
                await by_kernel(file, position, count, self._seconds)
            except TimeoutError:
                raise SlowClient(f"{count} bytes were not taken in {self._seconds} seconds") from None
            position += count

    async def _stream(self, file: IO[bytes], span: Span, send: Send) -> None:
        """Send by way of Python, where the server is not ours."""
        position = span.start
        while position < span.end:
            wanted = min(CHUNK, span.end - position)
            chunk = await anyio.to_thread.run_sync(os.pread, file.fileno(), wanted, position, limiter=self._readers)
            if not chunk:
                raise OSError("the file has become shorter while it was served")
            position += len(chunk)
            await self._within(send, {"type": "http.response.body", "body": chunk, "more_body": True})

    async def _within(self, send: Send, message: Message) -> None:
        try:
            with anyio.fail_after(self._seconds):
                await send(message)
        except TimeoutError:
            raise SlowClient(f"no MiB was taken for {self._seconds} seconds") from None

    def _etag(self, path: Path) -> str:
        try:
            status = path.stat()
            key = (str(path), status.st_ino, status.st_size, status.st_mtime_ns)
            with self._lock:
                known = self._digests.get(key)
            if known is None:
                with path.open("rb") as file:
                    known = hashlib.file_digest(file, "sha256").hexdigest()
                with self._lock:
                    self._digests = {other: text for other, text in self._digests.items() if other[0] != key[0]}
                    self._digests[key] = known
        except OSError:
            raise NotFound("there is no such file") from None
        return f'"{known}"'


class _FileResponse(Response):
    """Sends a file; not Starlette's own, whose reads share the threads of all other requests."""

    def __init__(self, served: Served, server: FileServer) -> None:
        super().__init__()
        self._served, self._server = served, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's own signature
        await self._server.send(self._served, scope, send)


def _is_in_memory(descriptor: int, position: int, count: int) -> bool:
    """Tell from samples whether a part of a file can be had without waiting for the disk (preadv2(2), RWF_NOWAIT).

    If in doubt, it can not.
    """
    last = position + count - 1
    try:
        looks = [
            os.preadv(descriptor, [bytearray(1)], at, os.RWF_NOWAIT) for at in (*range(position, last, _LOOK), last)
        ]
    except OSError:
        return False
    return all(looks)


def _read_ahead(descriptor: int, position: int, count: int) -> None:
    """Have the kernel read a part of a file into its memory; blocks until it is there."""
    os.posix_fadvise(descriptor, position, count, os.POSIX_FADV_WILLNEED)
    for offset in range(position, position + count, CHUNK):
        os.pread(descriptor, min(CHUNK, position + count - offset), offset)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)


def _head(served: Served, asked: Headers, size: int) -> tuple[dict[str, object], Span | None]:
    """Return status and header fields, and what to send; None for nothing."""
    fields = {"accept-ranges": "bytes", "etag": served.etag, "content-type": served.media_type}
    try:
        span = requested_span(asked.get("range"), asked.get("if-range"), served.etag, size)
    except Unsatisfiable:
        fields |= {"content-range": f"bytes */{size}", "content-length": "0"}
        return _start(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, fields), None
    if span is None:
        return _start(HTTPStatus.OK, fields | {"content-length": str(size)}), Span(0, size) if size else None
    fields |= {"content-range": f"bytes {span.start}-{span.end - 1}/{size}", "content-length": str(span.length)}
    return _start(HTTPStatus.PARTIAL_CONTENT, fields), span


def _start(status: HTTPStatus, fields: dict[str, str]) -> dict[str, object]:
    return {
        "status": int(status),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields.items()],
    }
