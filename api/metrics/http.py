"""Requests, counted in the memory of one API process."""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from components.specs.signals import HTTP_REQUEST_SECONDS, HTTP_REQUESTS

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HttpMetrics:
    """Counts and durations of requests by route, method and status.

    The label is the route's name, never its path: ids, and whatever a caller invents, would make a series each.

    Args:
        registry: where the series are; one an application.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        # Else each series has a second one that says since when it is counted.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._requests = Counter(HTTP_REQUESTS.name, HTTP_REQUESTS.meaning, HTTP_REQUESTS.labels, registry=registry)
        self._seconds = Histogram(
            HTTP_REQUEST_SECONDS.name,
            HTTP_REQUEST_SECONDS.meaning,
            HTTP_REQUEST_SECONDS.labels,
            buckets=_BUCKETS,
            registry=registry,
        )

    def record(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)
