"""systemd drop-ins: which configuration each packaged service reads, where it keeps its data, what it may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.platform.observability.layout import HEADER, Layout
from components.specs.platform.observability import ObservabilitySpec

SECRETS_GROUP = "slipway-secrets"
"""Who may read the files of secrets: the services that need one, and nobody else."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a package.

    Attributes:
        command: what is started in place of the package's own command line.
        user: the package's.
        data: its folder on the volume; None if it keeps nothing.
    """

    name: str
    command: Sequence[str]
    user: str
    data: str | None = None
    reads_secrets: bool = False


def services(spec: ObservabilitySpec, layout: Layout) -> Sequence[Service]:
    """Return the services of the host that take a configuration of ours."""
    folder, data, ports, kept = layout.configuration, layout.data, spec.ports, spec.retention
    return (
        Service(
            "prometheus",
            (
                "/usr/bin/prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={data}/prometheus",
                f"--storage.tsdb.retention.time={kept.metrics_days}d",
                f"--storage.tsdb.retention.size={kept.metrics_gib}GB",
                f"--web.listen-address=:{ports.prometheus}",
                f"--web.external-url=http://{spec.server.private_address}:{ports.prometheus}",
            ),
            "prometheus",
            "prometheus",
            reads_secrets=True,
        ),
        Service(
            "prometheus-alertmanager",
            (
                "/usr/bin/prometheus-alertmanager",
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={data}/alertmanager",
                f"--web.listen-address=:{ports.alertmanager}",
                f"--web.external-url=http://{spec.server.private_address}:{ports.alertmanager}",
                # There is one of it: no cluster, no port for one.
                "--cluster.listen-address=",
            ),
            "prometheus",
            "alertmanager",
            reads_secrets=True,
        ),
        Service(
            "prometheus-blackbox-exporter",
            (
                "/usr/bin/prometheus-blackbox-exporter",
                f"--config.file={folder}/blackbox.yml",
                f"--web.listen-address=127.0.0.1:{ports.blackbox}",
            ),
            "prometheus",
        ),
        Service("loki", ("/usr/bin/loki", f"-config.file={folder}/loki.yml"), "loki", "loki"),
        Service(
            "grafana-server",
            (
                "/usr/share/grafana/bin/grafana",
                "server",
                f"--config={folder}/grafana.ini",
                "--homepath=/usr/share/grafana",
            ),
            "grafana",
            "grafana",
            reads_secrets=True,
        ),
        Service(
            "alloy",
            ("/usr/bin/alloy", "run", "--storage.path=/var/lib/alloy/data", f"{folder}/config.alloy"),
            "alloy",
        ),
    )


def drop_ins(spec: ObservabilitySpec, layout: Layout) -> Mapping[str, str]:
    """Return each service's drop-in by its place below the configuration's folder."""
    return {
        f"units/{service.name}.service.d/slipway.conf": _drop_in(service, layout) for service in services(spec, layout)
    }


def _drop_in(service: Service, layout: Layout) -> str:
    lines = []
    if service.data is not None:
        lines += ["[Unit]", f"RequiresMountsFor={layout.data}", ""]
    # An empty ExecStart takes the package's away: a service has one.
    lines += ["[Service]", "ExecStart=", f"ExecStart={' '.join(service.command)}"]
    if service.data is not None:
        # "+": as root, for the volume is empty at first.
        folder = layout.data / service.data
        lines.append(f"ExecStartPre=+/usr/bin/install -d -m 0750 -o {service.user} -g {service.user} {folder}")
        lines.append(f"ReadWritePaths={layout.data}")
    if service.reads_secrets:
        lines.append(f"SupplementaryGroups={SECRETS_GROUP}")
    return HEADER + "\n".join(lines) + "\n"
