"""Failures of engines and of the workers that drive them, by name; the rest is in ``test_failures``."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from socket import gethostname
from uuid import UUID

from sqlalchemy import select

from api.operations.models import Operation, OperationEvent, OperationStatus
from api.orders.models import OrderStatus
from api.vault import Vault, generate_key
from automation.engine.contract import EngineProcess
from automation.engine.process import is_alive, kill_session
from tests.fakes.sleeping_engine import KillingEngine
from tests.fakes.state import FakeStateStore
from tests.fixtures.engine import until
from tests.fixtures.operations import Desk
from tests.fixtures.runner import GuestsOfEngine, RunnerRig, worker_settings
from tests.fixtures.shop import EVERYTHING, Shop

ROOT = Path(__file__).parents[3]


@contextmanager
def _zombie(
    desk: Desk, operation_id: UUID, database_url: str, key: str, work_root: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a worker in a process of its own up to the middle of its engine's work."""
    told = {
        "database": database_url,
        "operation": str(operation_id),
        "key": key,
        "work_root": str(work_root),
        "lease_seconds": 30,
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.fixtures.zombie_worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(told))
        worker.stdin.close()
        until(lambda: ((desk.shop.all(Operation)[0].engine or {}).get("process") or {}).get("host") == gethostname())
        yield worker
    finally:
        worker.kill()
        worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()


def test_a_worker_that_was_stopped_beyond_its_lease_can_do_no_harm_when_it_wakes(
    empty_shop: Shop, database_url: str, tmp_path: Path
) -> None:
    """F4: the second goes on only after the fence, kills the zombie's engine, and what the zombie writes is refused."""
    key, desk = generate_key(), Desk(empty_shop)
    empty_shop.vault = Vault(key)
    empty_shop.stock()
    order_id = desk.shop.place_paid()
    engine = KillingEngine()
    rig = RunnerRig(desk, engine, GuestsOfEngine(engine), worker_settings(tmp_path), FakeStateStore(engine))
    operation_id = desk.latest(order_id).id

    with _zombie(desk, operation_id, database_url, key, tmp_path) as zombie:
        its_engine = EngineProcess(**(desk.latest(order_id).engine or {})["process"])
        try:
            zombie.send_signal(signal.SIGSTOP)
            assert rig.runner("worker-2").run(operation_id) is False
            assert is_alive(its_engine) is True

            desk.lapse(operation_id)
            assert rig.runner("worker-2").run(operation_id) is True
            assert is_alive(its_engine) is False
            delivered = desk.latest(order_id)

            zombie.send_signal(signal.SIGCONT)
            assert zombie.stdout is not None
            said = zombie.stdout.read()
            assert zombie.wait(60) == 0
        finally:
            kill_session(its_engine)

    assert "lease_lost" in said
    assert said.splitlines()[-1] == "ours"
    after = desk.latest(order_id)
    assert (after.status, after.fence, after.finished_at) == (OperationStatus.SUCCEEDED, 2, delivered.finished_at)
    assert (desk.shop.order(order_id).status, desk.shop.held(order_id)) == (OrderStatus.DELIVERED, EVERYTHING)
    assert engine.recovered == [desk.shop.workload(order_id).stack]
    lines = desk.shop.change(lambda session: session.scalars(select(OperationEvent).order_by(OperationEvent.id)).all())
    attempts = [line.attempt for line in lines if line.operation_id == operation_id]
    assert attempts == sorted(attempts)


def test_an_engine_that_hangs_is_ended_at_its_deadline_and_the_work_begun_again(runner_rig: RunnerRig) -> None:
    """F8: nothing comes from it any more; that is a failure with a name which time may heal, and it does."""
    rig = runner_rig
    order_id = rig.desk.shop.place_paid()
    rig.settings = rig.settings.model_copy(update={"operation_deadline_seconds": 0.2})
    gate = rig.engine.hold()

    rig.run(order_id)

    hung = rig.desk.latest(order_id)
    assert gate.started.is_set()
    assert (hung.status, hung.error_code) == (OperationStatus.QUEUED, "deadline")
    rig.engine.release()
    rig.run(order_id)
    assert rig.desk.latest(order_id).status is OperationStatus.SUCCEEDED
    assert rig.engine.recovered == [rig.desk.shop.workload(order_id).stack]


def test_a_plugin_that_is_killed_fails_clean_and_the_retry_converges(runner_rig: RunnerRig) -> None:
    """F3: as the services see it; on the real engine and plugins it is one of the crash points."""
    rig = runner_rig
    order_id = rig.desk.shop.place_paid()
    rig.engine.fail_next("plugin_crashed", retryable=True, message="A part of the engine ended by itself.")

    rig.run(order_id)

    assert rig.desk.latest(order_id).error_code == "plugin_crashed"
    rig.run(order_id)
    assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert rig.desk.shop.held(order_id) == EVERYTHING


def test_no_living_engines_lock_is_taken_away(runner_rig: RunnerRig) -> None:
    """F6: a `pulumi cancel` beside a living engine; only a recovery makes one, and that needs a proven death."""
    rig = runner_rig
    order_id = rig.desk.shop.place_paid()
    run = rig.orphan(order_id)
    rig.engine.stacks.clear()
    elsewhere = replace(run.process, host="another-host")
    record = {**(rig.desk.latest(order_id).engine or {}), "process": _document(elsewhere)}
    rig.desk.with_leases(lambda leases: leases.record_engine(rig.desk.latest(order_id).id, 1, record), "dead-worker")

    rig.run(order_id)

    assert rig.desk.latest(order_id).error_code == "engine_of_unknown_fate"
    assert rig.engine.recoveries == []


def test_a_blind_cancel_is_written_nowhere() -> None:
    """F6: one module runs it, from one place that has the proof in hand; no route and no command offers it."""
    callers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("api", "automation", "lab", "stacks")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"""["']cancel["'],\s*["']--yes["']|\.cancel\(\)\s*#?.*stack|stack\.cancel\(""", path.read_text())
    }
    recoverers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "automation").rglob("*.py")
        if re.search(r"engine\.recover\(", path.read_text())
    }

    assert callers == {"automation/engine/recovery.py"}
    assert recoverers == {"automation/operations/engine_attempt.py"}


def _document(process: EngineProcess) -> dict[str, str | int]:
    return {
        "host": process.host,
        "boot_id": process.boot_id,
        "pid": process.pid,
        "started_at_ticks": process.started_at_ticks,
    }
