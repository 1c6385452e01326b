"""Our own processes as services: the lab, the API, a Celery worker, beat."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import httpx
from kombu.exceptions import OperationalError
from redis import RedisError

from api.jobs import make_celery
from automation.embedded.environment import for_servers
from automation.embedded.supervisor import Service, log_tail

_PROBE_SECONDS = 2.0
_UNBUFFERED = {"PYTHONUNBUFFERED": "1"}  # log lines come at once
_PING_SECONDS = 0.5
_READY_SECONDS = 180.0
"""Ten times what an idle machine needs: a busy one must not fail for it, and a process that dies is noticed at once."""
WORKER_GRACE_SECONDS = 30.0
"""For running operations to end by themselves; what then is left is killed, and recovered on the next start."""


def lab_is_installed() -> bool:
    """Whether the lab is there: it is part of the source tree, not of the package that operators install."""
    return find_spec("lab") is not None


def lab_service(state_directory: Path, log: Path, options: Sequence[str]) -> Service:
    """Describe the lab, which says that it is ready once its documents are in its folder."""
    return Service(
        "lab",
        [sys.executable, "-m", "lab", "--state-dir", str(state_directory), *options],
        {**for_servers(os.environ), **_UNBUFFERED},
        lambda: any(line.startswith("lab ready") for line in log_tail(log)),
        ready_seconds=_READY_SECONDS,
    )


def api_service(environment: Mapping[str, str], port: int) -> Service:
    """Describe the API on 127.0.0.1."""
    arguments = ["--factory", "api.serve:app", "--host", "127.0.0.1", "--port", str(port)]
    # Live event streams never end by themselves: they get some seconds.
    arguments += ["--timeout-graceful-shutdown", "3", "--no-server-header", "--no-access-log"]
    return Service(
        "api",
        [sys.executable, "-m", "uvicorn", *arguments],
        {**environment, **_UNBUFFERED},
        lambda: api_is_ready(f"http://127.0.0.1:{port}"),
        ready_seconds=_READY_SECONDS,
    )


def worker_service(environment: Mapping[str, str], name: str, concurrency: int) -> Service:
    """Describe a Celery worker (prefork) that is pinged by its own name: others may share the broker."""
    return Service(
        "worker",
        [*_celery("worker"), "--pool", "prefork", "--concurrency", str(concurrency), "--hostname", name],
        {**environment, **_UNBUFFERED},
        lambda: worker_answers(environment["REDIS_URL"], name),
        ready_seconds=_READY_SECONDS,
        grace_seconds=WORKER_GRACE_SECONDS,
    )


def beat_service(environment: Mapping[str, str], schedule: Path) -> Service:
    """Describe Celery beat; ``schedule`` is its own file, made anew at each start, which shows that it runs."""
    for leftover in schedule.parent.glob(f"{schedule.name}*"):
        leftover.unlink()
    return Service(
        "beat",
        [*_celery("beat"), "--schedule", str(schedule), "--pidfile", ""],
        {**environment, **_UNBUFFERED},
        lambda: any(schedule.parent.glob(f"{schedule.name}*")),
        ready_seconds=_READY_SECONDS,
    )


def api_is_ready(url: str) -> bool:
    """Tell whether an API and what it needs are ready; blocks for 2 s at most."""
    try:
        return httpx.get(f"{url}/readyz", timeout=_PROBE_SECONDS).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def worker_answers(redis_url: str, name: str) -> bool:
    """Tell whether a worker answers a ping; blocks for half a second."""
    try:
        # A connection of its own: Celery's pool is the process's, and remembers a server that has been restarted.
        with make_celery(redis_url) as app, app.connection_for_write() as connection:
            return bool(app.control.ping(destination=[name], timeout=_PING_SECONDS, connection=connection))
    except (OperationalError, RedisError):
        return False


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app", "automation.worker", command, "--loglevel", "INFO"]
