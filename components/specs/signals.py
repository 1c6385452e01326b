"""What Slipway tells about itself in numbers: the contract between the API, which exports, and what watches it.

The API makes its metrics of these; alert rules, dashboards and ``docs/observability.md`` may name no others of ours.
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
    ("route", "method", "status"),
    "requests that were answered; `route` is the name of what answered, never a path",
)
HTTP_REQUEST_SECONDS = Signal(
    "slipway_http_request_seconds",
    MetricKind.HISTOGRAM,
    ("route", "method"),
    "how long an answer took, from the request's first byte to the answer's last",
)
OPERATIONS_ACTIVE = Signal(
    "slipway_operations_active", MetricKind.GAUGE, ("kind", "status"), "operations that have not ended"
)
OPERATIONS_DUE = Signal(
    "slipway_operations_due", MetricKind.GAUGE, (), "operations that could run now and wait for a worker"
)
OLDEST_DUE = Signal(
    "slipway_operation_oldest_due_seconds", MetricKind.GAUGE, (), "how long the first of those has been waiting"
)
OPERATION_SECONDS = Signal(
    "slipway_operation_seconds",
    MetricKind.HISTOGRAM,
    ("kind", "phase", "outcome"),
    "how long a phase took; of `total` (all attempts) and `wait` the operation's outcome, of the others the attempt's",
)
WORKLOADS = Signal("slipway_workloads", MetricKind.GAUGE, ("kind", "status"), "workloads that are not deleted")
NODE_CAPACITY = Signal(
    "slipway_node_capacity",
    MetricKind.GAUGE,
    ("node", "class", "site", "state", "resource"),
    "what a node may sell: `cores`, `memory_mib`, `disk_gib`; no node that is retired",
)
NODE_USED = Signal(
    "slipway_node_capacity_used",
    MetricKind.GAUGE,
    ("node", "class", "site", "state", "resource"),
    "what of that is sold or reserved",
)
MACHINES = Signal("slipway_machines", MetricKind.GAUGE, ("class", "state"), "machines of the pool")
DRIFT_FINDINGS = Signal("slipway_drift_findings", MetricKind.GAUGE, ("kind", "severity"), "drift that is open")
ALERTS_OPEN = Signal("slipway_alerts_open", MetricKind.GAUGE, ("kind",), "alerts that staff see as open")
ORDERS_OPEN = Signal(
    "slipway_orders_open",
    MetricKind.GAUGE,
    ("status",),
    "orders that were paid and are neither delivered nor paid back yet",
)
REFUNDS_DUE = Signal("slipway_refunds_due_cents", MetricKind.GAUGE, ("currency",), "money that is owed back")
STRIPE_EVENTS_DUE = Signal(
    "slipway_stripe_events_due", MetricKind.GAUGE, (), "events of Stripe's that were not acted on yet"
)
LEDGER = Signal(
    "slipway_ledger_cents",
    MetricKind.GAUGE,
    ("kind", "currency"),
    "sum of the ledger, positive towards us; `kind` is payment or refund",
)
LEDGER_MISMATCH = Signal(
    "slipway_ledger_mismatch_cents",
    MetricKind.GAUGE,
    ("currency",),
    "money that is neither for what is delivered, nor refunded, nor visibly pending, and money that is missing; "
    "0 is right",
)

SIGNALS = (
    HTTP_REQUESTS,
    HTTP_REQUEST_SECONDS,
    OPERATIONS_ACTIVE,
    OPERATIONS_DUE,
    OLDEST_DUE,
    OPERATION_SECONDS,
    WORKLOADS,
    NODE_CAPACITY,
    NODE_USED,
    MACHINES,
    DRIFT_FINDINGS,
    ALERTS_OPEN,
    ORDERS_OPEN,
    REFUNDS_DUE,
    STRIPE_EVENTS_DUE,
    LEDGER,
    LEDGER_MISMATCH,
)
"""Every metric of ours."""
