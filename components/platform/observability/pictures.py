"""The dashboards there are: overview, nodes, operations and money."""

from collections.abc import Sequence

from components.platform.observability.dashboards import LOKI, Dashboard, Panel
from components.platform.observability.expressions import grown, once
from components.specs.signals import (
    ALERTS_OPEN,
    DRIFT_FINDINGS,
    HTTP_REQUEST_SECONDS,
    HTTP_REQUESTS,
    LEDGER,
    LEDGER_MISMATCH,
    MACHINES,
    NODE_CAPACITY,
    NODE_USED,
    OLDEST_DUE,
    OPERATION_SECONDS,
    OPERATIONS_ACTIVE,
    OPERATIONS_DUE,
    ORDERS_OPEN,
    REFUNDS_DUE,
    STRIPE_EVENTS_DUE,
    WORKLOADS,
)

_REQUESTS, _LATENCY = HTTP_REQUESTS.name, HTTP_REQUEST_SECONDS.name
_SECONDS, _TOTAL = OPERATION_SECONDS.name, 'phase="total"'


def dashboards() -> Sequence[Dashboard]:
    """Return every dashboard."""
    return (_overview(), _nodes(), _operations(), _money())


def _overview() -> Dashboard:
    """Whether somebody has to do something, in one look."""
    return Dashboard(
        "overview",
        "overview",
        (
            Panel(
                "Alerts that fire", {"": 'sum(ALERTS{alertstate="firing"}) or vector(0)'}, "stat", width=6, warn_at=1
            ),
            Panel("Alerts staff see", {"": f"sum({once(ALERTS_OPEN)})"}, "stat", width=6, warn_at=1),
            Panel(
                "Hosts that do not answer", {"": 'count(up{job="node"} == 0) or vector(0)'}, "stat", width=6, warn_at=1
            ),
            Panel("Operations that wait", {"": f"max({OPERATIONS_DUE.name})"}, "stat", width=6, warn_at=10),
            Panel("Requests", {"{{status}}": f"sum by (status) (rate({_REQUESTS}[5m]))"}, unit="reqps"),
            Panel(
                "Time to answer",
                {
                    "median": f"histogram_quantile(0.5, sum by (le) (rate({_LATENCY}_bucket[5m])))",
                    "99 of 100": f"histogram_quantile(0.99, sum by (le) (rate({_LATENCY}_bucket[5m])))",
                },
                unit="s",
            ),
            Panel(
                "Operations that ended",
                {"{{outcome}}": f"sum by (outcome) ({grown(OPERATION_SECONDS, 5, _TOTAL)})"},
            ),
            Panel("Sold", {"{{class}} {{resource}}": _sold("class, resource")}, "bargauge", "percentunit", warn_at=0.9),
            Panel("Workloads", {"{{kind}} {{status}}": once(WORKLOADS)}),
            Panel("Open drift", {"{{kind}} {{severity}}": once(DRIFT_FINDINGS)}),
            Panel("Days left of certificates", {"{{instance}}": "(probe_ssl_earliest_cert_expiry - time()) / 86400"}),
            Panel("Errors in the logs", {"": '{unit=~"slipway-.+", level="error"}'}, "logs", width=24, source=LOKI),
        ),
    )


def _nodes() -> Dashboard:
    """Load and room of each node; ``host`` chooses."""
    of = '{host=~"$host"}'
    idle = 'rate(node_cpu_seconds_total{mode="idle",host=~"$host"}[5m])'
    disk = 'host=~"$host",fstype!~"tmpfs|overlay"'
    free = f"node_filesystem_avail_bytes{{{disk}}} / node_filesystem_size_bytes{{{disk}}}"
    return Dashboard(
        "nodes",
        "nodes",
        (
            Panel("Processor", {"{{host}}": f"1 - avg by (host) ({idle})"}, unit="percentunit"),
            Panel(
                "Memory",
                {"{{host}}": f"1 - node_memory_MemAvailable_bytes{of} / node_memory_MemTotal_bytes{of}"},
                unit="percentunit",
            ),
            Panel(
                "File systems",
                {"{{host}} {{mountpoint}}": f"1 - {free}"},
                unit="percentunit",
                warn_at=0.85,
            ),
            Panel(
                "Proxmox VE's storages",
                {
                    "{{host}} {{id}}": 'pve_disk_usage_bytes{id=~"storage/.+",host=~"$host"}'
                    ' / (pve_disk_size_bytes{id=~"storage/.+",host=~"$host"} > 0)'
                },
                unit="percentunit",
                warn_at=0.85,
            ),
            Panel("Machines of the pool", {"{{state}}": f"sum by (state) ({once(MACHINES)})"}),
            Panel("Guests that run", {"{{host}}": 'sum by (host) (pve_up{id=~"(qemu|lxc)/.+",host=~"$host"})'}),
            Panel(
                "Network in",
                {"{{host}}": f"sum by (host) (rate(node_network_receive_bytes_total{of}[5m]))"},
                unit="Bps",
            ),
            Panel(
                "Sold",
                {"{{node}} {{resource}}": _sold("node, resource")},
                "bargauge",
                "percentunit",
                width=24,
                warn_at=0.9,
            ),
        ),
        variables={"host": 'label_values(up{job="node"}, host)'},
    )


def _operations() -> Dashboard:
    """How operations go, and where their time goes."""
    mean = (
        f'sum by (phase) (rate({_SECONDS}_sum{{phase!="total"}}[15m]))'
        f' / sum by (phase) (rate({_SECONDS}_count{{phase!="total"}}[15m]))'
    )
    return Dashboard(
        "operations",
        "operations",
        (
            Panel("Waiting", {"due": f"max({OPERATIONS_DUE.name})"}),
            Panel("The longest waits", {"": f"max({OLDEST_DUE.name})"}, unit="s"),
            Panel("Under way", {"{{kind}} {{status}}": once(OPERATIONS_ACTIVE)}),
            Panel(
                "Ended",
                {"{{kind}} {{outcome}}": f"sum by (kind, outcome) ({grown(OPERATION_SECONDS, 5, _TOTAL)})"},
            ),
            Panel(
                "How long, 95 of 100",
                {"{{kind}}": f"histogram_quantile(0.95, sum by (le, kind) (rate({_SECONDS}_bucket{{{_TOTAL}}}[15m])))"},
                unit="s",
            ),
            Panel("Mean of each phase", {"{{phase}}": mean}, unit="s"),
            Panel(
                "Failures in the logs",
                {"": '{unit=~"slipway-worker.*"} | json | level="error"'},
                "logs",
                width=24,
                source=LOKI,
            ),
        ),
    )


def _money() -> Dashboard:
    """What was taken and paid back, in units of the currency, and whether it fits what was delivered."""
    return Dashboard(
        "money",
        "money",
        (
            Panel("Does not fit", {"{{currency}}": f"{once(LEDGER_MISMATCH)} / 100"}, "stat", width=8, warn_at=0.01),
            Panel("Ledger", {"{{kind}} {{currency}}": f"{once(LEDGER)} / 100"}, "stat", width=16),
            Panel("Orders that are not settled", {"{{status}}": once(ORDERS_OPEN)}, "stat", width=8),
            Panel("Owed back", {"{{currency}}": f"{once(REFUNDS_DUE)} / 100"}, "stat", width=8),
            Panel("Events not acted on", {"": f"max({STRIPE_EVENTS_DUE.name})"}, "stat", width=8, warn_at=10),
            Panel("Taken in a day", {"{{currency}}": _moved("payment")}),
            Panel("Paid back in a day", {"{{currency}}": _moved("refund")}),
        ),
    )


def _sold(by: str) -> str:
    return f"sum by ({by}) ({once(NODE_USED)}) / sum by ({by}) ({once(NODE_CAPACITY)})"


def _moved(kind: str) -> str:
    """A sum that only grows in one direction is a gauge all the same: its difference is what was moved."""
    now = f'max by (currency) ({LEDGER.name}{{kind="{kind}"}})'
    before = f'max by (currency) ({LEDGER.name}{{kind="{kind}"}} offset 1d)'
    return f"({now} - {before}) / 100"
