"""What the servers boot with, by cloud-init's own check."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.platform.control_plane.cloud_init import EXPORTERS, firewall, first_boot
from components.specs.platform.control_plane import ControlPlaneSpec, Role
from tests.fixtures.platform_tools import run

Documents = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def documents(spec: ControlPlaneSpec) -> Documents:
    """The user data of each server, read as cloud-init reads it."""
    return {server.name: yaml.safe_load(first_boot(spec, role, server)) for _, role, server in spec.servers()}


@pytest.mark.parametrize("role", list(Role))
def test_cloud_init_accepts_it(spec: ControlPlaneSpec, role: Role, tmp_path: Path) -> None:
    """Held against cloud-init's own schema."""
    file = tmp_path / "user-data"
    server = next(server for _, kind, server in spec.servers() if kind is role)
    file.write_text(first_boot(spec, role, server))
    assert "Valid" in run("cloud-init", "schema", "--config-file", file)


def test_cloud_init_would_refuse_a_wrong_one(tmp_path: Path) -> None:
    """The test above would see it."""
    file = tmp_path / "user-data"
    file.write_text("#cloud-config\nruncmd: yes\n")
    run("cloud-init", "schema", "--config-file", file, ok=False)


def test_it_holds_no_secret(documents: Documents) -> None:
    """Files for secrets are named, and none is written; passwords are read from files at run time."""
    secret_files = ("/etc/slipway/secrets.env", "/etc/slipway/migration.env", "/etc/slipway/postgres.env", ".pgpass")
    for document in documents.values():
        written = {file["path"]: file["content"] for file in document["write_files"]}
        assert not [path for path in written if path.endswith(secret_files)]
        for line in "\n".join(written.values()).splitlines():
            name, separator, value = line.partition("=")
            if separator and name.strip().endswith(("PASSWORD", "SECRET", "TOKEN", "KEY", "KEYS", "URL")):
                assert name.strip() == "SLIPWAY_PUBLIC_URL", line
                assert value


def test_every_server_finds_its_way_out(documents: Documents) -> None:
    """None has a public address, and DHCP tells it neither a route nor a resolver."""
    for document in documents.values():
        assert document["bootcmd"][0] == ["ip", "route", "replace", "default", "via", "10.10.0.1"]
        assert "185.12.64.1" in document["bootcmd"][1][2]


def test_what_is_measured_is_let_through(spec: ControlPlaneSpec) -> None:
    """Prometheus reaches each exporter, and nobody reaches more than is served."""
    assert "tcp dport { 5432, 9100, 9187 }" in firewall(spec, Role.POSTGRES)
    assert "tcp dport { 9100 }" in firewall(spec, Role.WORKER)
    for role in Role:
        assert all(str(port) in firewall(spec, role) for port in EXPORTERS[role].values())


@pytest.mark.parametrize("role", list(Role))
def test_nft_accepts_the_firewall(spec: ControlPlaneSpec, role: Role, tmp_path: Path) -> None:
    """Every rule, without being put into effect."""
    file = tmp_path / "nftables.conf"
    file.write_text(firewall(spec, role))
    assert run("nft", "--check", "--file", file) == ""


def test_scripts_are_shell(documents: Documents, tmp_path: Path) -> None:
    """Each is parsed by the shell that runs it."""
    scripts = {
        f"{name}{file['path'].replace('/', '-')}": file["content"]
        for name, document in documents.items()
        for file in document["write_files"]
        if file["path"].startswith("/usr/local/sbin")
    }
    assert len(scripts) == 6
    for name, text in scripts.items():
        (tmp_path / name).write_text(text)
        assert run("sh", "-n", tmp_path / name) == ""


def test_user_data_that_hetzner_would_refuse_is_refused_here(spec: ControlPlaneSpec) -> None:
    """The error names the server."""
    long = spec.model_copy(update={"settings": {"SLIPWAY_LONG": "x" * 40_000}})
    with pytest.raises(ValueError, match=r"the user data of 'api-1' has .* bytes, Hetzner takes 32768"):
        first_boot(long, Role.API, long.api[0])
