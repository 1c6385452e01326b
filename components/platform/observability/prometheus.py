"""``prometheus.yml``: what is scraped, and how it is found.

Targets come from Inventory over HTTP: a node that a stack makes is scraped a minute later, and one that is retired is
neither scraped nor missed. Each target has the labels ``name``, ``role`` and ``job`` (the exporter's name in
``HostReport.exporters``, or ``pve`` for a node's own API), and where they are known ``site``, ``class`` and ``estate``.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from components.platform.observability.layout import Layout, to_yaml
from components.specs.platform.observability import ObservabilitySpec
from components.specs.signals import METRICS_PATH

TARGETS_PATH = "/v1/inventory/prometheus-targets"

_INDIRECT = ("pve", "pbs")
"""Exporters' names that stand for an API which another program asks on Prometheus's behalf."""

_Document = dict[str, Any]


def prometheus(spec: ObservabilitySpec, layout: Layout) -> str:
    """Return the text of ``prometheus.yml``."""
    scrape, ports = spec.scrape, spec.ports
    document = {
        "global": {
            "scrape_interval": f"{scrape.interval_seconds}s",
            "scrape_timeout": f"{scrape.timeout_seconds}s",
            "evaluation_interval": f"{scrape.evaluation_seconds}s",
        },
        "rule_files": [str(layout.configuration / "rules.yml")],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports.alertmanager}"]}]}],
        },
        "scrape_configs": [
            *_own(spec),
            {
                "job_name": "api",
                "metrics_path": METRICS_PATH,
                "authorization": layout.bearer(spec.api_token_file),
                **_found(spec, layout, "api"),
                "relabel_configs": [*_NAMES],
            },
            {"job_name": "node", **_found(spec, layout, "node"), "relabel_configs": [*_NAMES]},
            _pve(spec, layout),
            _services(spec, layout),
            _backup_servers(spec, layout),
            _probes(spec),
        ],
    }
    return to_yaml(document)


_NAMES: Sequence[_Document] = (
    {"source_labels": ["name"], "target_label": "host"},
    {"regex": "name", "action": "labeldrop"},
    {"source_labels": ["host", "job"], "separator": "/", "target_label": "instance"},
)
"""Names that a person knows, in place of an address and a port."""


def _found(spec: ObservabilitySpec, layout: Layout, job: str | None = None) -> _Document:
    """Where the targets of one job, or of all, are asked for."""
    url = f"{str(spec.api_url).rstrip('/')}{TARGETS_PATH}"
    return {
        "http_sd_configs": [
            {
                "url": url if job is None else f"{url}?job={job}",
                "refresh_interval": f"{spec.scrape.discovery_seconds}s",
                "authorization": layout.bearer(spec.api_token_file),
            }
        ]
    }


def _own(spec: ObservabilitySpec) -> Sequence[_Document]:
    """The programs on the host itself; found without Inventory, so that they are watched while it is away."""
    ports = spec.ports
    programs = {
        "prometheus": ports.prometheus,
        "alertmanager": ports.alertmanager,
        "loki": ports.loki,
        "grafana": ports.grafana,
        "blackbox": ports.blackbox,
    }
    return [
        {
            "job_name": name,
            "static_configs": [
                {
                    "targets": [f"127.0.0.1:{port}"],
                    "labels": {"host": spec.server.name, "instance": f"{spec.server.name}/{name}"},
                }
            ],
        }
        for name, port in programs.items()
    ]


def _pve(spec: ObservabilitySpec, layout: Layout) -> _Document:
    """Proxmox VE's own view of each node, asked by prometheus-pve-exporter on this host.

    Each node has a token of its own, so each is a module of the exporter's configuration, named like the node.
    """
    return {
        "job_name": "pve",
        "metrics_path": "/pve",
        "params": {"cluster": ["1"], "node": ["1"]},
        **_found(spec, layout, "pve"),
        "relabel_configs": [
            *_NAMES,
            {"source_labels": ["host"], "target_label": "__param_module"},
            *_through(spec.ports.pve_exporter),
        ],
    }


def _services(spec: ObservabilitySpec, layout: Layout) -> _Document:
    """Whatever else is reported with an exporter: PostgreSQL, Redis, another one tomorrow."""
    known = "|".join(("api", "node", *_INDIRECT))
    return {
        "job_name": "services",
        **_found(spec, layout),
        "relabel_configs": [{"source_labels": ["job"], "regex": known, "action": "drop"}, *_NAMES],
    }


def _backup_servers(spec: ObservabilitySpec, layout: Layout) -> _Document:
    """Proxmox Backup Server has no metrics of its own for Prometheus: whether it answers, and its certificate."""
    return {
        "job_name": "pbs",
        "metrics_path": "/probe",
        "params": {"module": ["tls"]},
        **_found(spec, layout, "pbs"),
        "relabel_configs": [*_NAMES, *_through(spec.ports.blackbox)],
    }


def _probes(spec: ObservabilitySpec) -> _Document:
    targets = [
        {"targets": [str(url)], "labels": {"host": urlsplit(str(url)).hostname or "", "instance": str(url)}}
        for url in spec.probes
    ]
    return {
        "job_name": "probe",
        "metrics_path": "/probe",
        "params": {"module": ["http"]},
        "static_configs": targets,
        "relabel_configs": [*_through(spec.ports.blackbox)],
    }


def _through(port: int) -> Sequence[_Document]:
    """Ask a program on this host about the target, instead of the target itself."""
    return [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"target_label": "__address__", "replacement": f"127.0.0.1:{port}"},
    ]
