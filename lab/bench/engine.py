"""One engine operation: its processor time against the stock Automation API's, and its memory.

Both sides bring up the same virtual machine with firewall and DNS records on the same node, one after the other and
in turn, on the same state database and from processes that have the SDKs imported.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from automation.embedded.postgres import EmbeddedPostgres
from automation.engine.backend import state_url
from automation.engine.client import EngineSettings, ProcessEngine
from automation.engine.contract import EngineAction, EngineJob, EngineOutcome, EngineResult, EngineSecrets
from automation.engine.launcher import EngineHost
from automation.engine.process import session_members
from automation.toolchain import Toolchain, ensure_toolchain
from components.specs import mac_address
from lab.bench.figures import Figure, at_most, shown, spread
from lab.client import RunningLab, start

_PROJECT = "slipway"
_STATE = "pulumi-state"
_CPU_SHARE = 0.6
_MEMORY_MIB = 300
_MEMORY_RUNS = 3
_TOGETHER = 4
_SAMPLE_SECONDS = 0.02
_KIB_PER_MIB = 1024


@dataclass(slots=True)
class EngineBench:
    """Both ways to bring a workload up, side by side."""

    lab: RunningLab
    engine: ProcessEngine
    stock: subprocess.Popen[str]
    toolchain: Toolchain
    secrets: EngineSecrets
    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def ours(self) -> tuple[EngineResult, float]:
        """Bring a workload up with our engine; returns the result and the seconds it took."""
        job = self._job(next(self.numbers), EngineAction.UP)
        began = time.monotonic()
        result = self._run(job)
        seconds = time.monotonic() - began
        self._remove(job)
        return result, seconds

    def memory_mib(self, together: int) -> float:
        """Return an operation's proportional set size, all of its processes together, when so many run at once.

        The peak over time of the sum over all, divided by their number.
        """
        jobs = [self._job(next(self.numbers), EngineAction.UP) for _ in range(together)]
        runs = [self.engine.start(job, self.secrets) for job in jobs]
        peak = 0.0
        with ThreadPoolExecutor(together) as pool:
            waiting = [pool.submit(run.wait, lambda _event: None, lambda: True) for run in runs]
            while not all(done.done() for done in waiting):
                pids = [pid for run in runs for pid in session_members(run.process.pid)]
                peak = max(peak, sum(map(_pss_kib, pids)) / _KIB_PER_MIB)
                time.sleep(_SAMPLE_SECONDS)
        for job, done in zip(jobs, waiting, strict=True):
            _checked(done.result())
            self._remove(job)
        return peak / together

    def stock_up(self) -> Mapping[str, float]:
        """Bring a workload up with the stock sequence; returns ``cpu_seconds`` and ``wall_seconds``."""
        number = next(self.numbers)
        job = self._job(number, EngineAction.UP)
        request = {
            "stack": job.stack,
            "project": _PROJECT,
            "spec": job.spec,
            "work_dir": str(self.folder / f"stock-{number}"),
            "environment": {
                **self.toolchain.environment(),
                **self.secrets.provider_environment,
                "HOME": str(self.folder),
                "PULUMI_BACKEND_URL": self.secrets.backend_url,
                "PULUMI_CONFIG_PASSPHRASE": self.secrets.passphrase,
            },
        }
        if self.stock.stdin is None or self.stock.stdout is None:
            raise RuntimeError("the stock runner has no pipes")
        self.stock.stdin.write(json.dumps(request) + "\n")
        self.stock.stdin.flush()
        report: dict[str, float] = json.loads(self.stock.stdout.readline())
        if report["exit"] != 0:
            raise RuntimeError("the stock sequence failed; its error output says why")
        self._remove(job)
        return report

    def _job(self, number: int, action: EngineAction, *, purpose: str = "up") -> EngineJob:
        return EngineJob(
            operation_id=f"bench-{number}-{purpose}",
            fence=1,
            stack=f"w-bench-{number}",
            action=action,
            spec=_spec(self.lab, number),
            work_root=self.folder / "work",
            stack_may_exist=action is not EngineAction.UP,
        )

    def _remove(self, job: EngineJob) -> None:
        """Take a workload down again, whichever side made it."""
        number = int(job.stack.rpartition("-")[2])
        self._run(self._job(number, EngineAction.DESTROY, purpose="down"))

    def _run(self, job: EngineJob) -> EngineResult:
        run = self.engine.start(job, self.secrets)
        return _checked(run.wait(lambda _event: None, lambda: True))


def measure_engine(runs: int) -> list[Figure]:
    """Measure so many operations of each side after a warm-up; blocks for about eight seconds each."""
    with _bench() as bench:
        bench.ours()
        bench.stock_up()
        pairs = [(bench.ours(), bench.stock_up()) for _ in range(runs)]
        alone = [bench.memory_mib(1) for _ in range(_MEMORY_RUNS)]
        together = [bench.memory_mib(_TOGETHER) for _ in range(_MEMORY_RUNS)]
    ours_cpu = [result.cpu_seconds for (result, _), _ in pairs]
    ours_wall = [seconds for (_, seconds), _ in pairs]
    stock_cpu = [report["cpu_seconds"] for _, report in pairs]
    stock_wall = [report["wall_seconds"] for _, report in pairs]
    processes = max(result.pulumi_processes for (result, _), _ in pairs)
    share = statistics.median(ours_cpu) / statistics.median(stock_cpu)
    return [
        at_most("Engine: processor time, ours to stock", share, "", _CPU_SHARE, "medians of the two rows below"),
        shown("Engine: processor time, ours", statistics.median(ours_cpu), "s", spread(ours_cpu, "s")),
        shown("Engine: processor time, stock", statistics.median(stock_cpu), "s", spread(stock_cpu, "s")),
        shown("Engine: time, ours", statistics.median(ours_wall), "s", spread(ours_wall, "s")),
        shown("Engine: time, stock", statistics.median(stock_wall), "s", spread(stock_wall, "s")),
        at_most("Engine: pulumi processes of a first up", processes, "", 2, "the most of all runs"),
        at_most(
            "Engine: memory of one operation",
            statistics.median(alone),
            "MiB",
            _MEMORY_MIB,
            "peak proportional set size of child, CLI and plugins; half of what the fork server shares is in it",
        ),
        shown(
            f"Engine: memory of each of {_TOGETHER} operations",
            statistics.median(together),
            "MiB",
            "the same while they run at once: code and imports are shared by more",
        ),
    ]


@contextmanager
def _bench() -> Iterator[EngineBench]:
    toolchain = ensure_toolchain()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-engine-bench-")))
        lab = stack.enter_context(start(folder / "lab", nodes="cloud=1"))
        postgres = EmbeddedPostgres(folder / "postgres")
        stack.callback(postgres.stop)
        host = stack.enter_context(EngineHost())
        stock = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "lab.bench.stock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        settings = EngineSettings(
            socket=host.socket,
            pulumi=toolchain.pulumi,
            toolchain=toolchain.environment(),
            plugins=toolchain.plugins,
            project=_PROJECT,
        )
        node, zone = lab.document.proxmox.nodes[0], lab.document.cloudflare
        secrets = EngineSecrets(
            backend_url=state_url(postgres.create_database(_STATE), _STATE),
            passphrase="benchmark-passphrase",  # noqa: S106 - guards a database that lives for this benchmark
            provider_environment={
                "PROXMOX_VE_ENDPOINT": node.endpoint,
                "PROXMOX_VE_API_TOKEN": node.api_token,
                "PROXMOX_VE_INSECURE": "true",
                "CLOUDFLARE_API_TOKEN": zone.api_token,
                "CLOUDFLARE_BASE_URL": zone.base_url,
            },
        )
        yield EngineBench(lab, ProcessEngine(settings), stock, toolchain, secrets, folder)


def _spec(lab: RunningLab, number: int) -> dict[str, Any]:
    """Return a small virtual machine on documentation addresses (RFC 5737, RFC 3849)."""
    vmid, zone = 1000 + number, lab.document.cloudflare
    return {
        "kind": "cloud_vm",
        "workload_id": f"01932c07-0000-7000-8000-{number:012d}",
        "order_id": f"01932c07-0000-7000-9000-{number:012d}",
        "hostname": f"bench-{number}",
        "placement": {"node": lab.document.proxmox.nodes[0].name, "vmid": vmid, "storage": "local-lvm"},
        "resources": {"cores": 2, "memory_mib": 2048, "disk_gib": 20},
        "network": {
            "bridge": "vmbr0",
            "mac": mac_address(vmid),
            "ipv4": {"address": f"203.0.113.{number % 200 + 10}", "prefix_length": 24, "gateway": "203.0.113.1"},
            "ipv6": {
                "network": f"2001:db8:0:{number:x}::/64",
                "address": f"2001:db8:0:{number:x}::2",
                "gateway": "fe80::1",
            },
            "open_ports": [{"protocol": "tcp", "first": 22, "last": 22, "comment": "SSH"}],
        },
        "dns": {"zone_id": zone.zone_id, "zone_name": zone.zone_name, "label": f"bench-{number}"},
        "template_vmid": 9000,
        "user": "ada",
    }


def _checked(result: EngineResult) -> EngineResult:
    if result.outcome is not EngineOutcome.SUCCEEDED:
        raise RuntimeError(f"an operation of the benchmark failed: {result.failure}")
    return result


def _pss_kib(pid: int) -> int:
    """Return a process's proportional set size: its own memory, and its share of what others use too."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
