"""The first boot's user data."""

import base64
import hashlib
import io
import stat
import tarfile
from pathlib import Path

import pytest
import yaml

from components.platform.observability.bundle import archive, bundle
from components.platform.observability.first_boot import MOST_BYTES, first_boot
from components.specs.platform.observability import ObservabilitySpec
from tests.fixtures.observability import lab_spec
from tests.fixtures.platform_tools import run


def test_cloud_init_finds_it_good_and_hetzner_takes_it(spec: ObservabilitySpec, tmp_path: Path) -> None:
    """With room to grow; the same spec gives the same text."""
    text = first_boot(spec, "4711")
    file = tmp_path / "user-data"
    file.write_text(text)
    assert "Valid" in run("cloud-init", "schema", "--config-file", file)
    assert len(text.encode()) < MOST_BYTES * 3 / 4
    assert first_boot(lab_spec(), "4711") == text


def test_it_carries_the_whole_configuration(spec: ObservabilitySpec) -> None:
    """As an archive whose scripts can be run."""
    files = {entry["path"]: entry for entry in _document(spec)["write_files"]}
    packed = base64.b64decode(files["/var/lib/slipway/observability.tar.xz"]["content"])
    assert packed == archive(bundle(spec))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {member.name: member for member in tar.getmembers()}
    assert set(found) == {str(path) for path in bundle(spec)}
    assert found["apply"].mode & stat.S_IXUSR
    assert "scsi-0HC_Volume_4711 /srv/observability" in files["/etc/fstab"]["content"]


def test_the_script_refuses_packages_signed_by_another_key(spec: ObservabilitySpec, tmp_path: Path) -> None:
    """It ends before the repository is used; the shell reads it whole."""
    script = next(entry["content"] for entry in _document(spec)["write_files"] if entry["path"].endswith("first-boot"))
    (tmp_path / "first-boot").write_text(script)
    run("sh", "-n", tmp_path / "first-boot")
    assert script.index(spec.grafana_packages.key_fingerprint) < script.index("apt-get install")


def test_what_hetzner_would_not_take_is_refused(spec: ObservabilitySpec) -> None:
    """Before a server is asked for."""
    noise = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(1000))
    many = {"name": "long", "url": f"http://10.10.0.11/{noise}", "severities": ["warning"]}
    alerting = {**spec.alerting.model_dump(), "webhooks": [*spec.alerting.model_dump()["webhooks"], many]}
    with pytest.raises(ValueError, match=f"Hetzner takes {MOST_BYTES}"):
        first_boot(lab_spec(alerting=alerting), "4711")


def _document(spec: ObservabilitySpec) -> dict[str, list[dict[str, str]]]:
    document: dict[str, list[dict[str, str]]] = yaml.safe_load(first_boot(spec, "4711"))
    return document
