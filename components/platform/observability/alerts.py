"""The alerts there are: hosts, control plane, estate, money, and the watchers themselves.

``rate`` and ``increase`` look back at least four scrapes, else a missed one hides everything.
"""

from collections.abc import Sequence

from components.platform.observability.expressions import grown, once
from components.platform.observability.rules import Rule, RuleGroup
from components.specs.platform.observability import ObservabilitySpec, Severity
from components.specs.signals import (
    ALERTS_OPEN,
    DRIFT_FINDINGS,
    HTTP_REQUESTS,
    LEDGER_MISMATCH,
    NODE_CAPACITY,
    NODE_USED,
    OPERATION_SECONDS,
    OPERATIONS_DUE,
)

_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING
_TOTAL = 'phase="total"'
_REAL_DISKS = 'fstype!~"tmpfs|overlay|squashfs|ramfs",mountpoint!~"/(run|sys|proc|dev).*"'


def alert_groups(spec: ObservabilitySpec) -> Sequence[RuleGroup]:
    """Return every alert, with the spec's thresholds."""
    return (
        RuleGroup("hosts", (*_hosts(spec), *_disks(spec))),
        RuleGroup("control-plane", (*_api(), *_operations(spec))),
        RuleGroup("estate", (*_estate(spec), *_certificates(spec))),
        RuleGroup("truth", _truth()),
        RuleGroup("watchers", _watchers()),
    )


def _hosts(spec: ObservabilitySpec) -> Sequence[Rule]:
    return (
        Rule(
            "HostDown",
            'up{job="node"} == 0',
            _CRITICAL,
            "{{ $labels.host }} ({{ $labels.role }}) does not answer",
            "Its node exporter cannot be scraped: host, network or exporter is down, and guests may be, too.",
            "host-down",
            minutes=spec.thresholds.host_down,
        ),
        Rule(
            "TargetDown",
            '(up{job!~"node|api|pve"} == 0) or (probe_success{job="pbs"} == 0)',
            _WARNING,
            "{{ $labels.job }} on {{ $labels.host }} cannot be scraped",
            "The host answers; this program on it does not.",
            "host-down",
            minutes=5,
        ),
        Rule(
            "PveUnreachable",
            '(up{job="pve"} == 0) or (pve_up{job="pve",id=~"node/.+"} == 0)',
            _CRITICAL,
            "Proxmox VE on {{ $labels.host }} cannot be asked",
            "No order can be carried out on this node until its API answers the exporter's token.",
            "host-down",
            minutes=5,
        ),
    )


def _disks(spec: ObservabilitySpec) -> Sequence[Rule]:
    used = f"1 - node_filesystem_avail_bytes{{{_REAL_DISKS}}} / node_filesystem_size_bytes{{{_REAL_DISKS}}}"
    storage = 'pve_disk_usage_bytes{id=~"storage/.+"} / (pve_disk_size_bytes{id=~"storage/.+"} > 0)'
    limits = spec.thresholds
    file_system = tuple(
        Rule(
            "DiskFull",
            f"{used} > {limit}",
            severity,
            "{{ $labels.mountpoint }} of {{ $labels.host }} is nearly full",
            "{{ $value | humanizePercentage }} is used.",
            "disk-full",
            minutes=10,
        )
        for severity, limit in ((_WARNING, limits.disk_warning_share), (_CRITICAL, limits.disk_critical_share))
    )
    return (
        *file_system,
        Rule(
            "StorageFull",
            f"{storage} > {limits.disk_warning_share}",
            _CRITICAL,
            "{{ $labels.id }} of {{ $labels.host }} is nearly full",
            "{{ $value | humanizePercentage }} is used. A thin pool that runs full corrupts every guest on it.",
            "disk-full",
            minutes=10,
        ),
    )


def _api() -> Sequence[Rule]:
    requests = HTTP_REQUESTS.name
    return (
        Rule(
            "ApiDown",
            'sum(up{job="api"}) == 0 or absent(up{job="api"}) or (probe_success{job="probe"} == 0)',
            _CRITICAL,
            "the API does not answer",
            "Nobody can order, pay or log in. Stripe keeps its events and sends them again for three days.",
            "api-down",
            minutes=2,
        ),
        Rule(
            "ApiInstanceDown",
            'up{job="api"} == 0',
            _WARNING,
            "the API on {{ $labels.host }} does not answer",
            "Others serve in its place.",
            "api-down",
            minutes=5,
        ),
        Rule(
            "ApiErrors",
            f'sum(rate({requests}{{status=~"5.."}}[10m])) / sum(rate({requests}[10m])) > 0.05',
            _CRITICAL,
            "the API fails at more than one request in twenty",
            "{{ $value | humanizePercentage }} of the last ten minutes' requests failed.",
            "api-down",
            minutes=5,
        ),
    )


def _operations(spec: ObservabilitySpec) -> Sequence[Rule]:
    due, minutes = OPERATIONS_DUE.name, spec.thresholds.queue_stuck
    ended = f"sum({grown(OPERATION_SECONDS, minutes, _TOTAL)})"
    failed = grown(OPERATION_SECONDS, 30, f'{_TOTAL},outcome="failed"')
    workers = 'node_systemd_unit_state{name="slipway-worker.service",state="active"}'
    return (
        Rule(
            "WorkersDown",
            f"sum({workers}) == 0 or absent({workers})",
            _CRITICAL,
            "no worker runs",
            "Paid orders wait. They are rows, so nothing is lost. It is systemd on the workers' hosts that says so.",
            "queue-not-draining",
            minutes=2,
        ),
        Rule(
            "QueueNotDraining",
            f"min_over_time(max({due})[{minutes}m:1m]) > 0 and ({ended} == 0 or absent({ended}))",
            _CRITICAL,
            "operations wait and none has ended",
            f"In the last {minutes} minutes there was always one due; " + "{{ $value }} at the least.",
            "queue-not-draining",
        ),
        Rule(
            "OperationsFailing",
            f"sum by (kind) ({failed}) >= {spec.thresholds.failed_operations}",
            _CRITICAL,
            "operations of the kind {{ $labels.kind }} fail",
            "{{ $value | humanize }} failed within half an hour.",
            "operations-failing",
        ),
    )


def _estate(spec: ObservabilitySpec) -> Sequence[Rule]:
    # A node that is drained gets no new guests: its room is none.
    used, room = (once(signal, 'state="active"') for signal in (NODE_USED, NODE_CAPACITY))
    sold = f"sum by (class, resource) ({used}) / sum by (class, resource) ({room})"
    return (
        Rule(
            "CapacityNearlySoldOut",
            f"{sold} > {spec.thresholds.sold_share}",
            _WARNING,
            "{{ $labels.resource }} of the {{ $labels.class }} nodes is nearly sold out",
            "{{ $value | humanizePercentage }} is sold or reserved. A dedicated server takes days to get.",
            "capacity-nearly-sold-out",
            minutes=15,
        ),
        Rule(
            "DriftFound",
            f"sum by (kind) ({once(DRIFT_FINDINGS)}) > 0",
            _WARNING,
            "drift of the kind {{ $labels.kind }} is open",
            "{{ $value }} findings: what is there is not what was ordered.",
            "drift-found",
            minutes=spec.thresholds.drift_open,
        ),
        Rule(
            "BackupMissing",
            once(ALERTS_OPEN, 'kind="backup_missing"') + " > 0",
            _CRITICAL,
            "guests have no recent backup",
            "{{ $value }} of them; the alerts on /admin/alerts name each.",
            "backup-missing",
            minutes=10,
        ),
    )


def _certificates(spec: ObservabilitySpec) -> Sequence[Rule]:
    limits = spec.thresholds
    levels = ((_WARNING, limits.certificate_warning_days), (_CRITICAL, limits.certificate_critical_days))
    return tuple(
        Rule(
            "CertificateExpiring",
            f"(probe_ssl_earliest_cert_expiry - time()) / 86400 < {days}",
            severity,
            "the certificate of {{ $labels.instance }} is about to expire",
            "{{ $value | humanize }} days are left.",
            "certificate-expiring",
            minutes=10,
        )
        for severity, days in levels
    )


def _truth() -> Sequence[Rule]:
    """What must be true at all times; each of these is a reason to stop and look."""
    return (
        Rule(
            "AuditChainBroken",
            once(ALERTS_OPEN, 'kind="audit_broken"') + " > 0",
            _CRITICAL,
            "the audit trail does not verify",
            "Records were changed or removed past the application. Repair nothing before the evidence is saved.",
            "audit-verification-fails",
        ),
        Rule(
            "MoneyMismatch",
            f"{once(LEDGER_MISMATCH)} != 0",
            _CRITICAL,
            "the ledger and what was delivered do not agree",
            "{{ $value }} cents ({{ $labels.currency }}) are neither for what is delivered, nor refunded, nor pending, "
            "or are missing.",
            "money-mismatch",
            minutes=10,
        ),
    )


def _watchers() -> Sequence[Rule]:
    return (
        Rule(
            "DiscoveryFailing",
            "increase(prometheus_sd_http_failures_total[10m]) >= 3",
            _WARNING,
            "Prometheus cannot get its targets from Inventory",
            "It goes on with those it knows; a new node is not watched.",
            "observability-itself",
        ),
        Rule(
            "ConfigurationRefused",
            "prometheus_config_last_reload_successful == 0 or alertmanager_config_last_reload_successful == 0",
            _WARNING,
            "{{ $labels.job }} refused its configuration",
            "It goes on with the one before.",
            "observability-itself",
            minutes=5,
        ),
        Rule(
            "NotificationsFailing",
            "sum by (integration, host) (increase(alertmanager_notifications_failed_total[10m])) > 0",
            _WARNING,
            "alerts by {{ $labels.integration }} are not delivered",
            "{{ $value | humanize }} attempts failed in ten minutes.",
            "observability-itself",
        ),
    )
