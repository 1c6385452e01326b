"""uvicorn's HTTP/1.1, with files sent by the kernel (sendfile(2)): no byte of an image passes through Python.

ASGI has no way to reach the connection, so the protocol puts a function into the request's scope, which
``pxe.boot.files`` uses where it finds it. h11 counts what was sent past it, as its documentation describes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import IO, Any, cast

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

SEND_FILE = "slipway.send_file"
"""The scope's key."""

SendFile = Callable[[IO[bytes], int, int, float], Awaitable[None]]
"""Sends so many bytes of a file from an offset, in the body of the answer that has begun; within so many seconds."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """Stands for bytes that h11 only counts: anything that has a length does."""

    count: int

    def __len__(self) -> int:
        return self.count


class FileSendingProtocol(H11Protocol):
    """Serves a connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._inner: ASGIApp = self.app
        self.app = self._with_file_sending

    async def _with_file_sending(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SEND_FILE] = self._send_file
        await self._inner(scope, receive, send)

    async def _send_file(self, file: IO[bytes], offset: int, count: int, seconds: float) -> None:
        """Send a part of a file.

        Raises:
            TimeoutError: if it was not taken in time; the connection is cut.
            ConnectionError: if the other side is gone.
        """
        if self.transport.is_closing():
            raise ConnectionResetError("the other side is gone")
        self.conn.send_with_data_passthrough(h11.Data(data=cast("bytes", _Passed(count))))
        try:
            async with asyncio.timeout(seconds):
                await self.loop.sendfile(self.transport, file, offset, count, fallback=False)
        except TimeoutError:
            self.transport.abort()
            raise
