"""What Slipway tells about itself in numbers: the contract between API and workers, who export, and what watches them.

Alert rules, dashboards and ``docs/observability.md`` may name these metrics and no others of ours.
"""

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "slipway_"
METRICS_PATH = "/metrics"


class MetricKind(StrEnum):
    """A metric's type, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Signal:
    """One metric. A histogram is seen as ``NAME_bucket``, ``NAME_count`` and ``NAME_sum``."""

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    meaning: str


HTTP_REQUESTS = Signal(
    "slipway_http_requests_total",
    MetricKind.COUNTER,
    ("method", "route", "status"),
    "requests that were answered; `route` is the template of the path",
)
HTTP_REQUEST_SECONDS = Signal(
    "slipway_http_request_seconds", MetricKind.HISTOGRAM, ("method", "route"), "how long an answer took"
)
OPERATIONS_DUE = Signal(
    "slipway_operations_due", MetricKind.GAUGE, (), "operations that could run now and wait for a worker"
)
OPERATION_SECONDS = Signal(
    "slipway_operation_seconds",
    MetricKind.HISTOGRAM,
    ("kind", "phase", "outcome"),
    "how long a phase took; `total` is the whole, `outcome` is succeeded, failed or cancelled",
)
NODE_CAPACITY = Signal(
    "slipway_node_capacity",
    MetricKind.GAUGE,
    ("node", "class", "resource"),
    "what of a node can be sold: `cores`, `memory_mib`, `disk_gib`",
)
NODE_USED = Signal(
    "slipway_node_capacity_used", MetricKind.GAUGE, ("node", "class", "resource"), "what of that is sold or reserved"
)
DRIFT_FINDINGS = Signal("slipway_drift_findings", MetricKind.GAUGE, ("kind",), "drift that is open")
LEDGER = Signal(
    "slipway_ledger_cents", MetricKind.GAUGE, ("kind", "currency"), "sum of the ledger; `kind` is payment or refund"
)
LEDGER_MISMATCH = Signal(
    "slipway_ledger_mismatch_cents",
    MetricKind.GAUGE,
    ("currency",),
    "money taken for what is neither delivered, nor refunded, nor visibly pending; 0 is right",
)
ALERTS_OPEN = Signal("slipway_alerts_open", MetricKind.GAUGE, ("kind",), "alerts that staff see as open")

SIGNALS = (
    HTTP_REQUESTS,
    HTTP_REQUEST_SECONDS,
    OPERATIONS_DUE,
    OPERATION_SECONDS,
    NODE_CAPACITY,
    NODE_USED,
    DRIFT_FINDINGS,
    LEDGER,
    LEDGER_MISMATCH,
    ALERTS_OPEN,
)
"""Every metric of ours."""
