"""Requests, counted in the memory of one API process."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HttpMetrics:
    """Counts and durations of requests by operation, method and status.

    The label is the operation's name, never its path: ids, and whatever a caller invents, would make a series each.

    Args:
        registry: where the series are; one an application.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "slipway_http_requests", "Requests answered.", ("operation", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "slipway_http_request_seconds",
            "Time from a request's first byte to its answer's last, in seconds.",
            ("operation", "method"),
            buckets=_BUCKETS,
            registry=registry,
        )

    def record(self, operation: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(operation, method, str(status)).inc()
        self._seconds.labels(operation, method).observe(seconds)
