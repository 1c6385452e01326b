"""Durations of operations, counted in rows."""

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from prometheus_client.core import HistogramMetricFamily
from sqlalchemy import select

from api.db.session import Database
from api.metrics.durations import BUCKETS, Outcome, count_seconds, operation_seconds
from api.metrics.models import OperationSeconds
from api.platform.models import RunAction
from tests.fixtures.platform import PlatformRig
from tests.fixtures.runner import RunnerRig


def histogram(database: Database) -> dict[tuple[str, str, str], float]:
    """Every sample by name, phase and bucket (empty where it has none)."""
    with database.transaction() as transaction:
        (family,) = operation_seconds(transaction.session)
    assert isinstance(family, HistogramMetricFamily)
    return {
        (
            item.name.removeprefix("slipway_operation_seconds_"),
            item.labels["phase"],
            item.labels.get("le", ""),
        ): item.value
        for item in family.samples
    }


def count(database: Database, **phases: float) -> None:
    """Count the phases of one attempt of an apply."""
    with database.transaction() as transaction:
        count_seconds(transaction.session, "apply", Outcome.SUCCEEDED, phases)


def test_a_duration_is_in_its_bucket_and_in_all_above_it(database: Database) -> None:
    """As Prometheus wants its histograms; the end of a bucket belongs to it."""
    for seconds in (0.2, 0.5, 45.0, 4000.0):
        count(database, plan=seconds)

    found = histogram(database)

    assert [found["bucket", "plan", end] for end in ("0.5", "30.0", "60.0", "3600.0", "+Inf")] == [2, 2, 3, 3, 4]
    assert found["count", "plan", ""] == 4
    assert found["sum", "plan", ""] == pytest.approx(4045.7)


def test_two_workers_count_at_once_and_none_is_lost(database: Database) -> None:
    """Both write the same rows, in one order."""
    together = Barrier(2)

    def work() -> None:
        together.wait()
        for _ in range(20):
            count(database, apply=1.0, plan=1.0, verify=0.1)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(work) for _ in range(2)]:
            done.result()

    assert {found for key, found in histogram(database).items() if key[0] == "count"} == {40}


def test_however_many_operations_there_were_the_rows_stay_few(database: Database) -> None:
    """At most one a phase and bucket: a scrape costs the same for ever."""
    for place in range(200):
        count(database, total=float(place * place))
    with database.transaction() as transaction:
        rows = transaction.session.scalars(select(OperationSeconds)).all()
    assert len(rows) <= len(BUCKETS)
    assert math.isinf(max(row.bucket for row in rows))


def ends(database: Database, kind: str) -> dict[tuple[str, str], int]:
    """How often each phase of a kind of operation ended how."""
    with database.transaction() as transaction:
        rows = transaction.session.scalars(select(OperationSeconds).where(OperationSeconds.kind == kind)).all()
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        found[row.phase, row.outcome] += row.count
    return dict(found)


def test_an_attempt_that_is_made_again_is_no_failure_of_the_operation(runner_rig: RunnerRig) -> None:
    """Each attempt's phases have the attempt's outcome; the whole has the operation's, once."""
    runner_rig.engine.fail_next("proxmox_locked", retryable=True)
    order_id = runner_rig.delivered()
    assert runner_rig.run(order_id)

    found = ends(runner_rig.desk.shop.database, "apply")

    assert {how: number for (phase, how), number in found.items() if phase == "apply"} == {"retried": 1, "succeeded": 1}
    assert {phase for phase, how in found if how == "retried"} == {"settle", "plan", "apply"}
    assert {key for key in found if key[0] in {"total", "wait"}} == {("total", "succeeded"), ("wait", "succeeded")}
    assert found["total", "succeeded"] == 1


def test_an_operation_that_failed_for_good_is_counted_as_failed(runner_rig: RunnerRig) -> None:
    """That is what wakes somebody."""
    runner_rig.engine.fail_next("template_missing", retryable=False)
    runner_rig.delivered()
    found = ends(runner_rig.desk.shop.database, "apply")
    assert {phase for phase, how in found if how == "failed"} == {"settle", "plan", "apply", "wait", "total"}
    assert {how for _, how in found} == {"failed"}


def test_a_platform_run_is_counted_as_a_kind_of_its_own(platform_rig: PlatformRig) -> None:
    """Its first attempt waits for an administrator, its second succeeds; whoever only looks is done at once."""
    platform_rig.brought_up()
    platform_rig.waiting(RunAction.PREVIEW)
    assert ends(platform_rig.database, "platform_up") == {
        ("settle", "waiting"): 1,
        ("plan", "waiting"): 1,
        ("settle", "succeeded"): 1,
        ("plan", "succeeded"): 1,
        ("apply", "succeeded"): 1,
        ("wait", "succeeded"): 1,
        ("total", "succeeded"): 1,
    }
    looked = {("plan", "succeeded"): 1, ("wait", "succeeded"): 1, ("total", "succeeded"): 1}
    assert ends(platform_rig.database, "platform_preview") == looked


def test_a_platform_run_that_was_rejected_is_counted_as_cancelled(platform_rig: PlatformRig) -> None:
    """Nothing went wrong: a person did not want it."""
    run_id = platform_rig.waiting()
    plan = platform_rig.plan(run_id)
    platform_rig.decisions.reject(plan.id, platform_rig.admin(), "not today")
    assert ends(platform_rig.database, "platform_up")["total", "cancelled"] == 1
