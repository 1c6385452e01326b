"""Serving aiohttp applications until the process is told to end."""

import asyncio
import signal
from contextlib import AsyncExitStack

from aiohttp import web

from lab.child import announce


async def bind(stack: AsyncExitStack, app: web.Application, port: int) -> int:
    """Serve an application on 127.0.0.1 and return its port (0 asks for a free one)."""
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.5, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    bound: int = runner.addresses[0][1]
    return bound


async def serve_until_told(ports: dict[str, int]) -> None:
    """Announce the ports, then wait for SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    announce(ports)
    await ended.wait()
