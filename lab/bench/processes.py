"""Programs that a benchmark runs beside itself."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from lab.child import listen

_START_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


@contextmanager
def running(
    command: list[str], log: Path, ready: str, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program from the moment that an address answers to the end of the block.

    Raises:
        RuntimeError: if it does not come up in a minute; the message holds the end of its log.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        _await(ready, process, log)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if httpx.head(url, timeout=2).status_code in {200, 405}:
                return
        except httpx.HTTPError:
            time.sleep(_PAUSE_SECONDS)
    raise RuntimeError(f"{url} does not answer: {log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at the moment."""
    with listen(0) as listener:
        port: int = listener.getsockname()[1]
        return port
