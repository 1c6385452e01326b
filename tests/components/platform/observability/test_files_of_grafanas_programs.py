"""What can be said of the files of Loki, Grafana and Alloy without those programs: none of them is in Debian."""

import re
from configparser import ConfigParser
from pathlib import Path

import yaml

from components.platform.observability.layout import Layout
from components.specs.platform.observability import ObservabilitySpec


def test_loki_listens_where_it_is_asked_and_writes_on_the_volume(
    delivered: Path, spec: ObservabilitySpec, layout: Layout
) -> None:
    """The file is YAML; its port is that of Grafana's data source, and each folder is below the volume's."""
    document = yaml.safe_load((delivered / "loki.yml").read_text())
    sources = yaml.safe_load((delivered / "grafana/datasources/slipway.yaml").read_text())["datasources"]
    urls = {source["type"]: source["url"] for source in sources}
    assert document["server"]["http_listen_port"] == spec.ports.loki
    assert urls["loki"] == f"http://127.0.0.1:{spec.ports.loki}"
    folders = [document["common"]["path_prefix"], document["compactor"]["working_directory"]]
    folders += document["common"]["storage"]["filesystem"].values()
    assert all(Path(folder).is_relative_to(layout.data) for folder in folders)


def test_grafana_reads_its_password_from_a_file_and_lets_nobody_else_in(delivered: Path, layout: Layout) -> None:
    """The file is INI, and holds no secret itself."""
    settings = ConfigParser(interpolation=None)
    settings.read_string((delivered / "grafana.ini").read_text())
    assert settings["security"]["admin_password"] == f"$__file{{{layout.secret('grafana-admin-password')}}}"
    assert not settings["auth.anonymous"].getboolean("enabled")
    assert not settings["users"].getboolean("allow_sign_up")
    assert (delivered / "grafana").is_relative_to(settings["paths"]["provisioning"])


def test_alloy_sends_what_it_reads_by_way_of_what_it_declares(delivered: Path, spec: ObservabilitySpec) -> None:
    """Its blocks are closed, whatever they name is declared in the same file, and it all ends at Loki."""
    text = re.sub(r"//.*", "", (delivered / "config.alloy").read_text().replace("http://", ""))
    outside = re.sub(r'"(\\.|[^"\\])*"', '""', text)
    assert outside.count("{") == outside.count("}")
    declared = {f"{kind}.{label}" for kind, label in re.findall(r'^(loki[.\w]+) "(\w+)"', text, re.MULTILINE)}
    used = set(re.findall(r"\b(loki\.[\w.]+)\.(?:receiver|rules)\b", text))
    assert used == declared - {"loki.source.journal.everything"}
    assert f'url = "{spec.server.private_address}:{spec.ports.loki}/loki/api/v1/push"' in text
