"""Counts how long operations and their phases took.

In rows rather than in a worker's memory: workers fork, end and are many, and a histogram must never go backwards.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from prometheus_client.core import HistogramMetricFamily
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.metrics.models import OperationSeconds

BUCKETS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, math.inf)
"""Upper ends in seconds. Rows of other buckets, from before a change, are counted where they fit."""


def count_seconds(session: Session, kind: str, phases: Mapping[str, float]) -> None:
    """Count durations in the caller's transaction.

    Args:
        session: of the transaction that writes the end of an attempt.
        kind: of operation, such as ``apply``.
        phases: seconds by phase: ``wait``, ``settle``, ``plan``, ``apply``, ``verify``, ``total``.
    """
    rows = [
        {"kind": kind, "phase": phase, "bucket": BUCKETS[bisect_left(BUCKETS, seconds)], "count": 1, "seconds": seconds}
        for phase, seconds in sorted(phases.items())  # one order for all: two writers cannot wait for each other
    ]
    if not rows:
        return
    statement = insert(OperationSeconds).values(rows)
    grown = {
        "count": OperationSeconds.count + statement.excluded.count,
        "seconds": OperationSeconds.seconds + statement.excluded.seconds,
    }
    session.execute(statement.on_conflict_do_update(index_elements=["kind", "phase", "bucket"], set_=grown))


def operation_seconds(session: Session) -> Iterator[HistogramMetricFamily]:
    """Yield the histogram of all that was counted."""
    family = HistogramMetricFamily(
        "slipway_operation_seconds", "Time that operations took, by phase, in seconds.", labels=("kind", "phase")
    )
    found: dict[tuple[str, str], list[OperationSeconds]] = {}
    for row in session.scalars(select(OperationSeconds)):
        found.setdefault((row.kind, row.phase), []).append(row)
    for labels, rows in sorted(found.items()):
        buckets = [
            ("+Inf" if math.isinf(end) else str(end), float(sum(row.count for row in rows if row.bucket <= end)))
            for end in BUCKETS
        ]
        family.add_metric(labels, buckets, sum_value=sum(row.seconds for row in rows))
    yield family
