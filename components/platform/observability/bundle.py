"""Everything that is delivered to the host, as files."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from components.platform.observability import grafana
from components.platform.observability.alertmanager import alertmanager
from components.platform.observability.alerts import alert_groups
from components.platform.observability.alloy import alloy
from components.platform.observability.apply import APPLY, apply_script
from components.platform.observability.blackbox import blackbox
from components.platform.observability.dashboards import to_json
from components.platform.observability.layout import Layout
from components.platform.observability.loki import loki
from components.platform.observability.pictures import dashboards
from components.platform.observability.prometheus import prometheus
from components.platform.observability.pve_exporter import pve_exporter_unit, pve_modules
from components.platform.observability.rules import rules
from components.platform.observability.units import drop_ins
from components.specs.platform.observability import ObservabilitySpec

EXECUTABLE = frozenset({APPLY})


def bundle(spec: ObservabilitySpec, layout: Layout | None = None) -> Mapping[PurePosixPath, str]:
    """Return the text of each file by its place below the configuration's folder; no file holds a secret."""
    layout = layout or Layout()
    files = {
        "prometheus.yml": prometheus(spec, layout),
        "rules.yml": rules(spec, alert_groups(spec)),
        "alertmanager.yml": alertmanager(spec, layout),
        "blackbox.yml": blackbox(),
        "loki.yml": loki(spec, layout),
        "config.alloy": alloy(spec),
        "grafana.ini": grafana.settings(spec, layout),
        "grafana/datasources/slipway.yaml": grafana.data_sources(spec),
        "grafana/dashboards/slipway.yaml": grafana.dashboard_folder(layout),
        "pve-modules": pve_modules(spec),
        "units/slipway-pve-exporter.service": pve_exporter_unit(spec, layout),
        APPLY: apply_script(spec, layout),
        **drop_ins(spec, layout),
        **{f"grafana/dashboards/{page.name}.json": to_json(page) for page in dashboards()},
    }
    return {PurePosixPath(name): text for name, text in sorted(files.items())}


def archive(files: Mapping[PurePosixPath, str]) -> bytes:
    """Return the files as a tar archive, compressed; the same files give the same bytes."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:xz", preset=9) as tar:
        for path, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(str(path))
            entry.size = len(content)
            entry.mode = 0o755 if str(path) in EXECUTABLE else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return target.getvalue()
