"""Stripe's own mock server, ``stripe-mock``: it checks every request against Stripe's OpenAPI description.

It keeps no state and answers with fixtures, so it proves the shape of what is sent and nothing else. Built once from a
pinned Go module into Slipway's cache; its OpenAPI description is embedded in it.
"""

import collections
import contextlib
import hashlib
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from automation.toolchain.go import GoCompiler, find_go
from automation.toolchain.layout import cache_folder
from automation.toolchain.progress import LineProgress, Progress
from automation.toolchain.source import SourceError

MODULE = Path(__file__).parent / "go"
_PACKAGE = "github.com/stripe/stripe-mock"
_LISTENING = re.compile(r"Listening for HTTP at address: (127\.0\.0\.1:\d+)")


def stripe_mock_program(progress: Progress | None = None) -> Path:
    """The program; built by the first caller (seconds), found by all others.

    Raises:
        SourceError: there is no Go compiler, or it failed.
    """
    sums = (MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()
    folder = cache_folder() / "tests" / f"stripe-mock-{hashlib.sha256(sums).hexdigest()[:16]}"
    program = folder / "stripe-mock"
    if program.exists():
        return program
    go = find_go()
    if go is None:
        raise SourceError("Building stripe-mock needs Go, which is neither on PATH nor in /usr/local/go")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"), tempfile.TemporaryDirectory(dir=folder) as work:
        if not program.exists():
            built = Path(work, "stripe-mock")
            GoCompiler(go).build(MODULE, [_PACKAGE], built, progress or LineProgress())
            built.replace(program)
    return program


@contextlib.contextmanager
def running_stripe_mock() -> Iterator[str]:
    """A server on a free port of this machine, for the length of the block; gives its base URL."""
    command = [str(stripe_mock_program()), "-http-addr", "127.0.0.1:0"]
    environment = {"PATH": os.defpath}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        rest = threading.Thread(target=collections.deque, args=(server.stdout, 0))
        try:
            address = _address(server)
            rest.start()  # what it prints from now on is thrown away
            yield f"http://{address}"
        finally:
            server.terminate()
            if rest.is_alive():  # it must not read from what is closed next
                rest.join()


def _address(server: subprocess.Popen[str]) -> str:
    """Where the server listens, once it does."""
    for line in server.stdout or ():
        if found := _LISTENING.search(line):
            return found[1]
    raise SourceError(f"stripe-mock ended with status {server.wait()} before it listened")
