"""What the observability stack is configured with. Names where secrets lie on the host, and holds none."""

import ipaddress
from collections import Counter
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AnyHttpUrl, EmailStr, Field, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.platform.cloud_server import CloudServerSpec

SecretName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
"""The name of a file in the host's folder of secrets."""

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=3600)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Severity(StrEnum):
    """How urgent an alert is."""

    CRITICAL = "critical"
    """Wakes somebody: customers are without service or money is at stake, now or within hours."""
    WARNING = "warning"
    """To be looked at on the next working day."""


class WebhookReceiver(Frozen):
    """Alerts are posted there as JSON.

    Attributes:
        token_file: the name of a file with a bearer token.
    """

    name: Slug
    url: AnyHttpUrl
    token_file: SecretName | None = None
    severities: Annotated[tuple[Severity, ...], Field(min_length=1)] = tuple(Severity)


class EmailReceiver(Frozen):
    """Alerts are mailed there."""

    name: Slug
    to: Annotated[tuple[EmailStr, ...], Field(min_length=1)]
    severities: Annotated[tuple[Severity, ...], Field(min_length=1)] = (Severity.CRITICAL,)


class MailServer(Frozen):
    """By which mail leaves; only over TLS.

    Attributes:
        password_file: the name of a file with the password.
    """

    host: str
    port: Port = 587
    sender: EmailStr
    username: str
    password_file: SecretName = "smtp-password"  # noqa: S105 - a file's name


class AlertingSpec(Frozen):
    """Who hears of alerts, and how often.

    Attributes:
        wait_seconds: alerts that come within this time are one message.
        interval_seconds: news about the same group are told no more often than this.
        repeat_minutes: what goes on is told again after so long.
    """

    webhooks: tuple[WebhookReceiver, ...] = ()
    emails: tuple[EmailReceiver, ...] = ()
    mail_server: MailServer | None = None
    wait_seconds: Seconds = 30
    interval_seconds: Seconds = 300
    repeat_minutes: Annotated[int, Field(ge=1, le=10_080)] = 240

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.emails and self.mail_server is None:
            raise ValueError("'emails' need 'mail_server': say by which server mail leaves")
        receivers: list[WebhookReceiver | EmailReceiver] = [*self.webhooks, *self.emails]
        names = [receiver.name for receiver in receivers]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ValueError(f"two receivers are named '{twice[0]}': give each a name of its own")
        heard = {severity for receiver in receivers for severity in receiver.severities}
        unheard = [severity for severity in Severity if severity not in heard]
        if unheard:
            raise ValueError(f"nobody hears of '{unheard[0]}' alerts: add the severity to a webhook or an e-mail")
        return self


class ScrapeSpec(Frozen):
    """How often is looked, in seconds."""

    interval_seconds: Seconds = 30
    timeout_seconds: Seconds = 10
    evaluation_seconds: Seconds = 30
    discovery_seconds: Seconds = 60

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.timeout_seconds > self.interval_seconds:
            raise ValueError("'timeout_seconds' must not be above 'interval_seconds'")
        return self


class RetentionSpec(Frozen):
    """How long is kept what was measured and logged; metrics go earlier if they are more than ``metrics_gib``."""

    metrics_days: Annotated[int, Field(ge=1, le=3650)] = 90
    metrics_gib: Annotated[int, Field(ge=1)] = 50
    logs_days: Annotated[int, Field(ge=1, le=3650)] = 30


class Thresholds(Frozen):
    """When the rules say that something is wrong; durations are in minutes unless the name says otherwise."""

    host_down: Annotated[int, Field(ge=0)] = 2
    queue_stuck: Annotated[int, Field(ge=1)] = 15
    drift_open: Annotated[int, Field(ge=0)] = 30
    failed_operations: Annotated[int, Field(ge=1)] = 3
    """Within half an hour."""
    sold_share: Share = 0.9
    disk_warning_share: Share = 0.85
    disk_critical_share: Share = 0.95
    certificate_warning_days: Annotated[int, Field(ge=1)] = 14
    certificate_critical_days: Annotated[int, Field(ge=1)] = 3

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.disk_warning_share >= self.disk_critical_share:
            raise ValueError("'disk_warning_share' must be below 'disk_critical_share'")
        if self.certificate_warning_days <= self.certificate_critical_days:
            raise ValueError("'certificate_warning_days' must be above 'certificate_critical_days'")
        return self


class Ports(Frozen):
    """Where each program listens on the host."""

    prometheus: Port = 9090
    alertmanager: Port = 9093
    loki: Port = 3100
    grafana: Port = 3000
    pve_exporter: Port = 9221
    blackbox: Port = 9115
    node: Port = 9100

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        taken: dict[int, str] = {}
        for name, port in self.model_dump().items():
            if port in taken:
                raise ValueError(f"'{taken[port]}' and '{name}' have the same port {port}")
            taken[port] = name
        return self


class GrafanaSpec(Frozen):
    """Grafana, to be reached through the VPN only.

    Attributes:
        url: where browsers find it.
        admin_password_file: the name of a file with its administrator's password.
    """

    url: AnyHttpUrl
    admin_password_file: SecretName = "grafana-admin-password"  # noqa: S105 - a file's name


class AptRepository(Frozen):
    """Where Grafana, Loki and Alloy come from: they are not Debian's.

    Attributes:
        source: without "deb" and options.
        key_url: where its key is fetched.
        key_fingerprint: of that key, 40 hexadecimal digits; another one is refused. Compare it with the vendor's.
    """

    source: Annotated[str, Field(pattern=r"^https://[a-z0-9./-]+ [a-z0-9./-]+( [a-z0-9-]+)*$")] = (
        "https://apt.grafana.com stable main"
    )
    key_url: AnyHttpUrl = AnyHttpUrl("https://apt.grafana.com/gpg.key")
    key_fingerprint: Annotated[str, Field(pattern=r"^[0-9A-F]{40}$")]


class ObservabilitySpec(PlatformSpec):
    """One server that measures, keeps and shows everything, and says when somebody has to come.

    Attributes:
        subnet: the name of the network stack's subnet that the server is in.
        volume_gib: the volume for metrics, logs and dashboards; it outlives the server.
        protects_volume: Hetzner refuses to delete it. Off only where nothing is worth keeping.
        private_network: from here logs are sent ...
        vpn: ... and only from here people reach Prometheus, Alertmanager and Grafana.
        api_url: where the host reaches the API, over the private network.
        api_token_file: the name of a file with an API token that may read targets and metrics.
        probes: addresses that are opened as a customer would; their certificates are watched, too.
        runbooks_url: where docs/runbooks can be read; each alert links into it.
    """

    server: CloudServerSpec
    subnet: Slug = "observability"
    volume_gib: Annotated[int, Field(ge=10, le=10_240)] = 100
    protects_volume: bool = True
    private_network: ipaddress.IPv4Network
    vpn: ipaddress.IPv4Network
    api_url: AnyHttpUrl
    api_token_file: SecretName = "api-token"  # noqa: S105 - a file's name
    probes: tuple[AnyHttpUrl, ...] = ()
    runbooks_url: AnyHttpUrl
    alerting: AlertingSpec
    grafana: GrafanaSpec
    grafana_packages: AptRepository
    pve_user: Annotated[str, Field(pattern=r"^[a-z0-9-]+@(pve|pam)$")] = "slipway-metrics@pve"
    pve_token_name: Slug = "metrics"  # noqa: S105 - a token's name
    verify_pve_tls: bool = True
    scrape: ScrapeSpec = ScrapeSpec()
    retention: RetentionSpec = RetentionSpec()
    thresholds: Thresholds = Thresholds()
    ports: Ports = Ports()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.server.private_address not in self.private_network:
            raise ValueError(
                f"'server.private_address' {self.server.private_address} is not in 'private_network' "
                f"{self.private_network}"
            )
        if self.retention.metrics_gib >= self.volume_gib:
            raise ValueError("'retention.metrics_gib' must be below 'volume_gib': logs need their share")
        return self
