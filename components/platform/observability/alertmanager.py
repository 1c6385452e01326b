"""``alertmanager.yml``: who is told of what."""

from typing import Any

from components.platform.observability.layout import Layout, to_yaml
from components.specs.platform.observability import (
    AlertingSpec,
    EmailReceiver,
    ObservabilitySpec,
    WebhookReceiver,
)

NOBODY = "nobody"
"""The root's receiver: what no route takes. Rules give every alert a severity, and the spec hears each severity."""


def alertmanager(spec: ObservabilitySpec, layout: Layout) -> str:
    """Return the text of ``alertmanager.yml``."""
    alerting = spec.alerting
    receivers: list[WebhookReceiver | EmailReceiver] = [*alerting.webhooks, *alerting.emails]
    document: dict[str, Any] = {"global": _mail(alerting, layout)} if alerting.mail_server is not None else {}
    document |= {
        "route": {
            "receiver": NOBODY,
            "group_by": ["alertname", "host"],
            "group_wait": f"{alerting.wait_seconds}s",
            "group_interval": f"{alerting.interval_seconds}s",
            "repeat_interval": f"{alerting.repeat_minutes}m",
            "routes": [_route(receiver) for receiver in receivers],
        },
        "inhibit_rules": [
            # A host that is down takes everything on it along: one message says it all.
            {
                "source_matchers": ["alertname = HostDown"],
                "target_matchers": ["alertname != HostDown"],
                "equal": ["host"],
            },
            # The same thing a step worse.
            {
                "source_matchers": ["severity = critical"],
                "target_matchers": ["severity = warning"],
                "equal": ["alertname", "host", "instance", "mountpoint"],
            },
            # Without any API nobody knows about queue, drift or targets.
            {
                "source_matchers": ["alertname = ApiDown"],
                "target_matchers": ["alertname =~ ApiInstanceDown|DiscoveryFailing"],
            },
        ],
        "receivers": [
            {"name": NOBODY},
            *(_webhook(receiver, layout) for receiver in alerting.webhooks),
            *(_email(receiver) for receiver in alerting.emails),
        ],
    }
    return to_yaml(document)


def _mail(alerting: AlertingSpec, layout: Layout) -> dict[str, Any]:
    server = alerting.mail_server
    if server is None:
        return {}
    return {
        "smtp_smarthost": f"{server.host}:{server.port}",
        "smtp_from": str(server.sender),
        "smtp_auth_username": server.username,
        "smtp_auth_password_file": layout.secret(server.password_file),
        "smtp_require_tls": True,
    }


def _route(receiver: WebhookReceiver | EmailReceiver) -> dict[str, Any]:
    """Each receiver hears its severities whatever others hear."""
    return {
        "receiver": receiver.name,
        "matchers": [f"severity =~ {'|'.join(receiver.severities)}"],
        "continue": True,
    }


def _webhook(receiver: WebhookReceiver, layout: Layout) -> dict[str, Any]:
    config: dict[str, Any] = {"url": str(receiver.url), "send_resolved": True}
    if receiver.token_file is not None:
        config["http_config"] = {"authorization": layout.bearer(receiver.token_file)}
    return {"name": receiver.name, "webhook_configs": [config]}


def _email(receiver: EmailReceiver) -> dict[str, Any]:
    return {
        "name": receiver.name,
        "email_configs": [{"to": ", ".join(map(str, receiver.to)), "send_resolved": True}],
    }
