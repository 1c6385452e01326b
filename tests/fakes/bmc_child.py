"""A BMC in a child process that is told what to do by lines of JSON, and answers each with one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]


class BmcChild:
    """The parent's end.

    Attributes:
        port: on which it serves, on loopback.
    """

    def __init__(self, ask: IO[bytes], answers: IO[bytes]) -> None:
        self._ask, self._answers = ask, answers
        self.port: int = json.loads(answers.readline())["port"]

    def tell(self, do: str, **more: Any) -> Any:
        """Have it do something, and return what it says."""
        self._ask.write(json.dumps({"do": do, **more}).encode() + b"\n")
        self._ask.flush()
        return json.loads(self._answers.readline())


@contextmanager
def bmc_child(program: str, log: Path, *arguments: str) -> Iterator[BmcChild]:
    """Run ``tests/fakes/PROGRAM.py`` for the length of the block; its complaints go to a file."""
    command = [sys.executable, "-P", str(ROOT / "tests" / "fakes" / f"{program}.py"), *arguments]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield BmcChild(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()
