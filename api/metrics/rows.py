"""Has Prometheus' registry ask the rows at each scrape."""

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.db.session import Database
from api.metrics.durations import operation_seconds
from api.metrics.figures import FIGURES, SLOW_FIGURES


class RowMetrics(Collector):
    """One short transaction a scrape. If the database is away the scrape fails, and that is what it has to tell.

    Args:
        database: the application's.
        clock: seconds that only grow.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._kept: dict[object, tuple[float, list[GaugeMetricFamily]]] = {}

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: registering must not ask the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return every family; blocks for the queries.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: if the database cannot be asked.
        """
        with self._database.transaction() as transaction:
            session = transaction.session
            found: list[Metric] = [family for figure in FIGURES for family in figure(session)]
            found += operation_seconds(session)
            for figure, seconds in SLOW_FIGURES.items():
                asked_at, families = self._kept.get(figure, (float("-inf"), []))
                if self._clock() - asked_at >= seconds:
                    families = list(figure(session))
                    self._kept[figure] = (self._clock(), families)
                found += families
        return found


def register_rows(registry: CollectorRegistry, database: Database) -> None:
    """Add the rows' figures to a registry."""
    registry.register(RowMetrics(database))
