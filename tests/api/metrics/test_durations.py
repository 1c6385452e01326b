"""Durations of operations, counted in rows."""

import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from prometheus_client.core import HistogramMetricFamily
from sqlalchemy import select

from api.db.session import Database
from api.metrics.durations import BUCKETS, count_seconds, operation_seconds
from api.metrics.models import OperationSeconds


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
        count_seconds(transaction.session, "apply", phases)


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
