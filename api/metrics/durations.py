"""Counts how long operations and their phases took.

In rows rather than in a worker's memory: workers fork, end and are many, and a histogram must never go backwards.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from enum import StrEnum

from prometheus_client.core import HistogramMetricFamily
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.metrics.models import OperationSeconds
from components.specs.signals import OPERATION_SECONDS

BUCKETS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, math.inf)
"""Upper ends in seconds. Rows of other buckets, from before a change, are counted where they fit."""


class Outcome(StrEnum):
    """How an attempt ended; whole operations end as ``succeeded``, ``failed`` or ``cancelled`` only."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETRIED = "retried"
    """It failed, and another attempt follows."""
    WAITING = "waiting"
    """It stopped for a person's approval, or for what somebody else holds; it is no failure."""


def count_seconds(session: Session, kind: str, outcome: str, phases: Mapping[str, float]) -> None:
    """Count durations in the caller's transaction.

    Args:
        session: of the transaction that writes the end of an attempt.
        kind: of operation, such as ``apply``; of a platform run ``platform_up`` and the like.
        outcome: an ``Outcome``, or the status in which an operation ended.
        phases: seconds by phase: ``wait``, ``settle``, ``plan``, ``apply``, ``verify``, ``total``.
    """
    labels = {"kind": kind, "outcome": outcome}
    rows = [
        {**labels, "phase": phase, "bucket": BUCKETS[bisect_left(BUCKETS, seconds)], "count": 1, "seconds": seconds}
        for phase, seconds in sorted(phases.items())  # one order for all: two writers cannot wait for each other
    ]
    if not rows:
        return
    statement = insert(OperationSeconds).values(rows)
    grown = {
        "count": OperationSeconds.count + statement.excluded.count,
        "seconds": OperationSeconds.seconds + statement.excluded.seconds,
    }
    key = ["kind", "phase", "outcome", "bucket"]
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=grown))


def operation_seconds(session: Session) -> Iterator[HistogramMetricFamily]:
    """Yield the histogram of all that was counted."""
    signal = OPERATION_SECONDS
    family = HistogramMetricFamily(signal.name, signal.meaning, labels=signal.labels)
    found: dict[tuple[str, str, str], list[OperationSeconds]] = {}
    for row in session.scalars(select(OperationSeconds)):
        found.setdefault((row.kind, row.phase, row.outcome), []).append(row)
    for labels, rows in sorted(found.items()):
        buckets = [
            ("+Inf" if math.isinf(end) else str(end), float(sum(row.count for row in rows if row.bucket <= end)))
            for end in BUCKETS
        ]
        family.add_metric(labels, buckets, sum_value=sum(row.seconds for row in rows))
    yield family
