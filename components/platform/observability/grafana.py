"""Grafana's own settings, and what it is provisioned with."""

from components.platform.observability.dashboards import LOKI, PROMETHEUS
from components.platform.observability.layout import HEADER, Layout, to_yaml
from components.specs.platform.observability import ObservabilitySpec


def settings(spec: ObservabilitySpec, layout: Layout) -> str:
    """Return the text of ``grafana.ini``; the administrator's password stays in its file."""
    header = HEADER.replace("#", ";", 1)
    return f"""{header}[paths]
data = {layout.data / "grafana"}
provisioning = {layout.configuration / "grafana"}

[server]
http_port = {spec.ports.grafana}
root_url = {spec.grafana.url}

[security]
admin_password = $__file{{{layout.secret(spec.grafana.admin_password_file)}}}
cookie_samesite = strict

[users]
allow_sign_up = false

[auth.anonymous]
enabled = false

[analytics]
reporting_enabled = false
check_for_updates = false
"""


def data_sources(spec: ObservabilitySpec) -> str:
    """Return ``datasources/slipway.yaml``."""
    ports = spec.ports
    return to_yaml(
        {
            "apiVersion": 1,
            "datasources": [
                {
                    "name": "Prometheus",
                    "uid": PROMETHEUS,
                    "type": "prometheus",
                    "access": "proxy",
                    "url": f"http://127.0.0.1:{ports.prometheus}",
                    "isDefault": True,
                    "editable": False,
                    "jsonData": {"timeInterval": f"{spec.scrape.interval_seconds}s", "httpMethod": "POST"},
                },
                {
                    "name": "Loki",
                    "uid": LOKI,
                    "type": "loki",
                    "access": "proxy",
                    "url": f"http://127.0.0.1:{ports.loki}",
                    "editable": False,
                },
                {
                    "name": "Alertmanager",
                    "uid": "alertmanager",
                    "type": "alertmanager",
                    "access": "proxy",
                    "url": f"http://127.0.0.1:{ports.alertmanager}",
                    "editable": False,
                    "jsonData": {"implementation": "prometheus"},
                },
            ],
        }
    )


def dashboard_folder(layout: Layout) -> str:
    """Return ``dashboards/slipway.yaml``: dashboards are files beside it, and nobody changes them in the browser."""
    return to_yaml(
        {
            "apiVersion": 1,
            "providers": [
                {
                    "name": "slipway",
                    "folder": "Slipway",
                    "type": "file",
                    "disableDeletion": True,
                    "allowUiUpdates": False,
                    "options": {"path": str(layout.configuration / "grafana" / "dashboards")},
                }
            ],
        }
    )
