"""``slipway bench boot``: many machines fetch one image at once from one process, while others phone home."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from rich.console import Console

from api.db.migrate import migrate
from api.db.session import connect
from api.vault import generate_key
from automation.embedded.postgres import EmbeddedPostgres
from lab.bench.booted import add_booted_machine
from lab.bench.figures import Figure, at_least, shown, spread
from lab.bench.processes import free_port, running

_MACHINES = 50
_IMAGE_BYTES = 200 * 1000 * 1000
_ROUNDS = 3
_LEAST_RATIO = 0.7
_SHA256 = "0" * 64
_PAUSE_SECONDS = 0.05
_MEGA = 1e6
_NGINX = """\
daemon off;
worker_processes 1;
error_log {folder}/nginx.err;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {store}; }} }}
"""


@dataclass(frozen=True, slots=True)
class _Server:
    """What images are fetched from."""

    url: str
    process: psutil.Process


@dataclass(frozen=True, slots=True)
class _Fetched:
    """How fast all machines together were served, in MB a second, and what that cost in CPU seconds a GB."""

    speed: float
    cost: float


def measure_boot(console: Console, _: int) -> list[Figure]:
    """Fetch from the boot service and from nginx by turns, on loopback; blocks for some minutes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-boot-")))
        folder.chmod(0o755)
        _fill(folder)
        service = stack.enter_context(_boot_service(folder))
        nginx = stack.enter_context(_nginx(folder))
        idle = service.phone_home_for(3.0)
        ours, theirs, meanwhile = [], [], []
        for number in range(_ROUNDS):
            console.print(f"{_MACHINES} machines fetch {_IMAGE_BYTES / _MEGA:g} MB at once, {number + 1} of {_ROUNDS}")
            with service.phoning_home() as seconds:
                ours.append(_fetch(service.server))
            meanwhile += seconds
            if nginx is not None:
                # The phone-homes go on, to the boot service: both sides share the machine with them.
                with service.phoning_home():
                    theirs.append(_fetch(nginx))
    return _figures(ours, theirs, idle, meanwhile)


def _figures(
    ours: Sequence[_Fetched], theirs: Sequence[_Fetched], idle: Sequence[float], meanwhile: Sequence[float]
) -> list[Figure]:
    speeds, costs = [each.speed for each in ours], [each.cost for each in ours]
    figures = [
        shown("boot service: one image to 50 machines", statistics.median(speeds), "MB/s", spread(speeds, "MB/s")),
        shown(
            "boot service: its CPU for that, phone-homes with it",
            statistics.median(costs),
            "s/GB",
            spread(costs, "s/GB"),
        ),
        shown("boot service: phone-home, nothing else to do, p95", _p95(idle) * 1000, "ms", f"{len(idle)} calls"),
        shown("boot service: phone-home meanwhile, p95", _p95(meanwhile) * 1000, "ms", f"{len(meanwhile)} calls"),
    ]
    if theirs:
        ratio = statistics.median(mine.speed / other.speed for mine, other in zip(ours, theirs, strict=True))
        note = f"nginx, one worker, sendfile: {spread([each.speed for each in theirs], 'MB/s')}"
        costs = [each.cost for each in theirs]
        figures += [
            shown("nginx: its CPU for that", statistics.median(costs), "s/GB", spread(costs, "s/GB")),
            at_least("boot service: throughput against nginx", ratio, "", _LEAST_RATIO, note),
        ]
    return figures


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


def _fill(folder: Path) -> None:
    images = folder / "store" / "images"
    images.mkdir(parents=True)
    with (images / _SHA256).open("wb") as file:
        for _ in range(_IMAGE_BYTES // 1_000_000):
            file.write(os.urandom(1_000_000))
    deployer = folder / "deployer"
    deployer.mkdir()
    for name in ("kernel", "initrd"):
        (deployer / name).write_bytes(b"not needed here")


def _fetch(server: _Server) -> _Fetched:
    """Have all machines fetch the image at once."""
    before = _cpu_seconds(server.process)
    command = [sys.executable, "-m", "lab.bench.downloads", f"{server.url}/images/{_SHA256}", str(_MACHINES)]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=900).stdout)
    if told["bytes"] < _MACHINES * _IMAGE_BYTES:
        raise RuntimeError(f"only {told['bytes']} bytes came")
    cost = (_cpu_seconds(server.process) - before) / (told["bytes"] / _MEGA / 1000)
    return _Fetched(told["bytes"] / told["seconds"] / _MEGA, cost)


class _Service:
    """A running boot service, and a machine that phones home."""

    def __init__(self, server: _Server, deployment: str, session: str) -> None:
        self.server, self._path = server, f"/deployments/{deployment}/phases"
        self._headers = {"Authorization": f"Bearer {session}"}

    def phone_home_for(self, seconds: float) -> list[float]:
        """Phone home again and again, and return how long each took."""
        with self.phoning_home() as told:
            time.sleep(seconds)
        return told

    @contextmanager
    def phoning_home(self) -> Iterator[list[float]]:
        """Phone home twenty times a second until the block ends; the list is filled meanwhile."""
        seconds: list[float] = []
        over = threading.Event()
        thread = threading.Thread(target=self._phone, args=(seconds, over))
        thread.start()
        try:
            yield seconds
        finally:
            over.set()
            thread.join()

    def _phone(self, seconds: list[float], over: threading.Event) -> None:
        with httpx.Client(base_url=self.server.url, headers=self._headers, timeout=60) as client:
            while not over.wait(_PAUSE_SECONDS):
                began = time.monotonic()
                client.post(self._path, data={"phase": "write", "detail": "as ever"}).raise_for_status()
                seconds.append(time.monotonic() - began)


@contextmanager
def _boot_service(folder: Path) -> Iterator[_Service]:
    port, key = free_port(), generate_key()
    # Its own folder, which the server's user may enter.
    with tempfile.TemporaryDirectory(prefix="slipway-boot-pg-") as data:
        postgres = EmbeddedPostgres(Path(data) / "data", {})
        try:
            database_url = postgres.create_database("slipway-bench")
            database = connect(database_url)
            migrate(database)
            deployment, session = add_booted_machine(database, key)
            database.close()
            environment = {
                "DATABASE_URL": database_url,
                "SLIPWAY_MASTER_KEYS": key,
                "SLIPWAY_PXE_URL": f"http://127.0.0.1:{port}",
                "SLIPWAY_PXE_IMAGE_STORE": str(folder / "store"),
                "SLIPWAY_PXE_DEPLOYER": str(folder / "deployer"),
                "SLIPWAY_PXE_REQUESTS_PER_MINUTE": "1000000",
            }
            command = [sys.executable, "-m", "pxe.boot", "serve", "--port", str(port)]
            url = f"http://127.0.0.1:{port}"
            with running(command, folder / "boot.log", f"{url}/readyz", environment) as process:
                yield _Service(_Server(url, psutil.Process(process.pid)), deployment, session)
        finally:
            postgres.stop()


@contextmanager
def _nginx(folder: Path) -> Iterator[_Server | None]:
    """Serve the same folder by nginx, if it is there."""
    program, port = shutil.which("nginx"), free_port()
    if program is None:
        yield None
        return
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, store=folder / "store"), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    command = [program, "-c", str(config), "-p", str(folder)]
    with running(command, folder / "nginx.log", f"{url}/images/{_SHA256}", {}) as process:
        yield _Server(url, psutil.Process(process.pid))


def _cpu_seconds(process: psutil.Process) -> float:
    """Return what a server and its workers have used."""
    return sum(sum(part.cpu_times()[:2]) for part in (process, *process.children()))
