"""The list pass of the drift scan: guests an hour over HTTPS, and what an operation notices of it.

``python -m lab.bench.drift`` measures this part alone.
"""

import json
import multiprocessing
import os
import signal
import ssl
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

from fakepve.certs import make_cert
from rich.console import Console
from sqlalchemy import select, text

from api.db.migrate import migrate
from api.db.session import Database, connect
from api.drift.facts import ListedRecord
from api.drift.models import DriftFinding
from api.inventory.estate import EstateDocument, EstateImport
from api.inventory.models import Node
from api.operations.leases import Leases
from api.operations.models import Operation
from api.settings import WorkerSettings
from api.vault import Vault, generate_key
from automation.drift.records import CloudflareRecords
from automation.drift.scan import DriftScan
from automation.embedded.postgres import EmbeddedPostgres
from automation.operations.guests import ProxmoxGuests
from lab.bench.figures import Figure, at_least, at_most, print_figures, shown, spread
from lab.estate import Node as LabNode
from lab.estate import WorkloadClass, estate_document, node_entry

_GUESTS = 2000
_DRIFTED = 20
_SCANS = 10
_LEASES = 20
_ROUNDS = 8
_TARGET_AN_HOUR = 10_000
_SECONDS_AN_HOUR = 3600
_WARM_UP = 3
_DELAY_MS = 50
"""A hundredth of the fastest delivery."""
_ZONE = "f" * 32
_INSERT = text(
    """
    WITH owner AS (
        INSERT INTO users (id, email, password_hash, role)
        VALUES (gen_random_uuid(), 'bench@example.com', '-', 'customer') RETURNING id
    ), numbered AS (
        SELECT n, 100000 + n AS vmid, gen_random_uuid() AS id,
            ('01932c07-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid AS order_id
        FROM generate_series(1, :guests) AS n
    ), placed AS (
        INSERT INTO workloads (
            id, owner_id, order_id, kind, name, status, node_id, vmid, desired, desired_absent, generation,
            applied_generation, stack, passphrase_encrypted, has_stack
        )
        SELECT numbered.id, owner.id, order_id, 'cloud_vm', 'g-' || n, 'running', :node, vmid,
            jsonb_build_object(
                'hostname', 'g-' || n, 'started', true,
                'resources', jsonb_build_object('cores', 1, 'memory_mib', 2048, 'disk_gib', 20),
                'dns', jsonb_build_object('label', 'g-' || n, 'zone_name', 'play.example'),
                'network', jsonb_build_object(
                    'ipv4', jsonb_build_object('address', '203.0.113.1'),
                    'ipv6', jsonb_build_object('address', '2001:db8::1')
                )
            ), false, 1, 1, 'w-' || n, 'x', true
        FROM numbered, owner RETURNING id, desired
    )
    INSERT INTO operations (
        id, workload_id, kind, status, generation, desired, fence, attempts, deadline_at, pulumi_processes, cpu_seconds,
        next_attempt_at
    )
    SELECT gen_random_uuid(), id, 'apply', 'succeeded', 1, desired, 1, 1, now() + interval '1 day', 2, 1, now()
    FROM placed
    """
)
_QUEUE = text(
    "UPDATE operations SET status = 'queued', lease_until = NULL WHERE id IN (SELECT id FROM operations LIMIT :number)"
)
_UNQUEUE = text("UPDATE operations SET status = 'succeeded', lease_until = NULL WHERE status IN ('queued', 'running')")


def measure_drift() -> list[Figure]:
    """Measure on a database and a node of this benchmark's own; blocks for about a minute."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-drift-bench-")))
        endpoint = stack.enter_context(_node(folder))
        postgres = EmbeddedPostgres(folder / "postgres")
        stack.callback(postgres.stop)
        url, keys = postgres.create_database("drift"), generate_key()
        database = connect(url)
        stack.callback(database.close)
        node_id = _fill(database, keys, endpoint)
        scan = _scan(database, url, keys, folder)
        seconds = _time_scans(scan, node_id)
        findings = _count(database)
        alone, beside = _lease_times(database, url, keys, folder, node_id)
    rate = _GUESTS / statistics.median(seconds) * _SECONDS_AN_HOUR
    delay = statistics.median(beside) - statistics.median(alone)
    return [
        at_least(
            "Drift: list pass", rate, "guests/h", _TARGET_AN_HOUR, f"{_GUESTS} guests a node, {spread(seconds, 's')}"
        ),
        at_least("Drift: changed guests found", findings, "", _DRIFTED, f"{_DRIFTED} were changed"),
        shown("Lease taken, no scan", statistics.median(alone), "ms", spread(alone, "ms")),
        shown("Lease taken beside endless scans", statistics.median(beside), "ms", spread(beside, "ms")),
        at_most(
            "An operation's delay by a scan", delay, "ms", _DELAY_MS, "medians; no lock is shared, two processes are"
        ),
    ]


def _time_scans(scan: DriftScan, node_id: UUID) -> list[float]:
    scan.run([node_id])
    seconds = []
    for _ in range(_SCANS):
        began = time.perf_counter()
        listed = scan.run([node_id])
        seconds.append(time.perf_counter() - began)
        if listed != _GUESTS:
            raise RuntimeError(f"the scan saw {listed} of {_GUESTS} guests")
    return seconds


def _lease_times(
    database: Database, url: str, keys: str, folder: Path, node_id: UUID
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of taking a lease, in turn with nothing else going on and beside scans on end."""
    scanner = multiprocessing.get_context("spawn").Process(
        target=_scan_for_ever, args=(url, keys, str(folder), node_id), daemon=True
    )
    scanner.start()
    alone: list[float] = []
    beside: list[float] = []
    try:
        seen = _count_scans(database)
        while _count_scans(database) < seen + 2:
            time.sleep(0.05)
        for _ in range(_ROUNDS):
            beside += _take_leases(database)
            os.kill(scanner.pid or 0, signal.SIGSTOP)
            alone += _take_leases(database)
            os.kill(scanner.pid or 0, signal.SIGCONT)
    finally:
        scanner.kill()
        scanner.join()
    return alone, beside


def _take_leases(database: Database) -> list[float]:
    with database.transaction() as transaction:
        transaction.session.execute(_QUEUE, {"number": _LEASES + _WARM_UP})
        queued = transaction.session.scalars(select(Operation.id).where(Operation.status == "queued")).all()
    times = []
    for operation_id in queued:
        began = time.perf_counter()
        with database.transaction() as transaction:
            Leases(transaction.session, "bench", 30).acquire(operation_id, 10 * _GUESTS)
        times.append((time.perf_counter() - began) * 1000)
    with database.transaction() as transaction:
        transaction.session.execute(_UNQUEUE)
    return times[_WARM_UP:]


def _scan_for_ever(url: str, keys: str, folder: str, node_id: UUID) -> None:
    database = connect(url)
    scan = _scan(database, url, keys, Path(folder))
    while True:
        scan.run([node_id])


def _count(database: Database) -> int:
    with database.transaction() as transaction:
        return len(transaction.session.scalars(select(DriftFinding.id)).all())


def _count_scans(database: Database) -> int:
    with database.transaction() as transaction:
        query = text("SELECT count(*) FROM scan_runs WHERE ended_at IS NOT NULL")
        return int(transaction.session.execute(query).scalar_one())


def _scan(database: Database, url: str, keys: str, folder: Path) -> DriftScan:
    settings = WorkerSettings.model_validate(
        {
            "DATABASE_URL": url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "state_database_url": url,
            "master_keys": keys,
            "public_url": "http://127.0.0.1",
            "stripe_secret_key": "none",
            "stripe_webhook_secrets": "none",
            "cloudflare_api_token": "none",
            "work_root": folder,
        }
    )
    return DriftScan(database, ProxmoxGuests(), _WholeZone(settings), Vault(keys), settings)


class _WholeZone(CloudflareRecords):
    """A zone that holds what it should: the nodes are measured, not the DNS provider."""

    def listing(self, zone_id: str) -> list[ListedRecord]:
        """Return two records a guest."""
        return [
            ListedRecord(f"{zone_id}-{kind}-{number}", f"g-{number}.play.example", kind, address, "")
            for number in range(1, _GUESTS + 1)
            for kind, address in (("A", "203.0.113.1"), ("AAAA", "2001:db8::1"))
        ]


def _fill(database: Database, keys: str, endpoint: str) -> UUID:
    migrate(database)
    token = "slipway@pve!bench=00000000-0000-4000-8000-000000000000"  # noqa: S105 - opens the stand-in below
    entry = node_entry(LabNode("cloud-1", WorkloadClass.CLOUD), endpoint, token) | {"templates": []}
    document = estate_document([entry], 1, _ZONE)
    with database.transaction() as transaction:
        EstateImport(transaction.session, Vault(keys)).apply(EstateDocument.model_validate(document))
        node_id = transaction.session.scalars(select(Node.id)).one()
        # A guest's row hangs on an order with its size and template; none of them is looked at by a scan.
        transaction.session.execute(text("SET LOCAL session_replication_role = replica"))
        transaction.session.execute(_INSERT, {"guests": _GUESTS, "node": node_id})
        transaction.session.execute(text("ANALYZE"))
    return node_id


@contextmanager
def _node(folder: Path) -> Iterator[str]:
    """Serve a node's two lists over TLS, as Proxmox VE words them."""
    certificate, key, _ = make_cert(str(folder), hosts=("127.0.0.1",))
    lists = {"qemu": _body([_guest(number) for number in range(1, _GUESTS + 1)]), "lxc": _body([])}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = lists[self.path.rpartition("/")[2]]
            self.send_response(200)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _guest(number: int) -> dict[str, Any]:
    return {
        "vmid": 100_000 + number,
        "name": f"g-{number}",
        "status": "running",
        "cpus": 4 if number <= _DRIFTED else 1,
        "maxmem": 2048 * 1024**2,
        "maxdisk": 20 * 1024**3,
        "tags": f"order-01932c07-0000-7000-9000-{number:012d};slipway",
        "mem": 1_000_000,
        "disk": 0,
        "uptime": 5,
        "netin": 1,
        "netout": 1,
        "diskread": 1,
        "diskwrite": 1,
        "cpu": 0.01,
        "pid": number,
    }


def _body(data: list[dict[str, Any]]) -> bytes:
    return json.dumps({"data": data}).encode()


if __name__ == "__main__":
    print_figures(Console(highlight=False), measure_drift())
