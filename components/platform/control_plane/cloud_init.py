"""The first boot of each server of the control plane, for cloud-init. Pure, and without any secret."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from components.platform.control_plane import databases, scripts, units
from components.platform.first_boot import BASE_PACKAGES, host_firewall, way_out
from components.specs.platform import CloudServerSpec
from components.specs.platform.control_plane import ControlPlaneSpec, Role

MOST_BYTES = 32_768
"""What Hetzner takes for user data."""

EXPORTERS: Mapping[Role, Mapping[str, int]] = {
    Role.API: {"node": 9100, "api": units.API_PORT},
    Role.WORKER: {"node": 9100},
    Role.POSTGRES: {"node": 9100, "postgres": 9187},
    Role.REDIS: {"node": 9100, "redis": 9121},
}
"""The ports that Prometheus asks, by role and job."""

_SERVICE_PORTS: Mapping[Role, tuple[int, ...]] = {
    Role.API: (units.API_PORT,),
    Role.WORKER: (),
    Role.POSTGRES: (databases.POSTGRES_PORT,),
    Role.REDIS: (databases.REDIS_PORT,),
}
_SOURCE = ("git", "make", "python3", "python3-venv")
_PACKAGES: Mapping[Role, tuple[str, ...]] = {
    Role.API: _SOURCE,
    Role.WORKER: (*_SOURCE, "golang-go"),
    Role.POSTGRES: (f"postgresql-{databases.VERSION}", "pgbackrest", "prometheus-postgres-exporter"),
    Role.REDIS: ("redis-server", "prometheus-redis-exporter"),
}

File = dict[str, Any]


def first_boot(spec: ControlPlaneSpec, role: Role, server: CloudServerSpec) -> str:
    """Return a server's user data.

    Raises:
        ValueError: if it is longer than Hetzner takes.
    """
    document = {
        "bootcmd": list(way_out(spec.inside, server)),
        "package_update": True,
        "package_upgrade": True,
        "packages": [*BASE_PACKAGES, *_PACKAGES[role]],
        "write_files": list(_files(spec, role, server)),
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "nftables.service"],
            *_start(spec, role, server),
        ],
    }
    if role is Role.WORKER:
        document["users"] = [
            "default",
            {"name": "slipway", "system": True, "homedir": units.STATE, "shell": "/usr/sbin/nologin"},
        ]
    text = "#cloud-config\n" + yaml.safe_dump(document, sort_keys=False, width=10_000)
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"the user data of '{server.name}' has {len(text.encode())} bytes, Hetzner takes {MOST_BYTES}")
    return text


def _files(spec: ControlPlaneSpec, role: Role, server: CloudServerSpec) -> Iterator[File]:
    yield _file("/etc/nftables.conf", firewall(spec, role), "0755", late=True)
    for name, text in units.units(spec, role, server).items():
        yield _file(f"/etc/systemd/system/{name}", text)
    if role in {Role.API, Role.WORKER}:
        yield _file(units.SETTINGS, units.settings(spec))
        yield _file(scripts.INSTALL, scripts.install(spec, role), "0755")
    elif role is Role.POSTGRES:
        yield from _postgres_files(spec, server)
    else:
        yield _file("/etc/redis/redis.conf", databases.redis_configuration(server), late=True)
        yield _file("/etc/redis/users.acl", databases.LOCKED_REDIS, late=True)


def _postgres_files(spec: ControlPlaneSpec, server: CloudServerSpec) -> Iterator[File]:
    place = databases.CONFIGURATION
    yield _file(f"{place}/conf.d/50-slipway.conf", databases.postgres_configuration(spec, server), late=True)
    yield _file(f"{place}/pg_hba.conf", databases.postgres_access(spec), late=True)
    yield _file("/etc/pgbackrest.conf", databases.archive_configuration(spec), late=True)
    yield _file(scripts.POSTGRES, scripts.postgres(spec, server), "0755")
    exporter = 'DATA_SOURCE_NAME="user=prometheus host=/run/postgresql dbname=postgres"\n'
    yield _file("/etc/default/prometheus-postgres-exporter", exporter, late=True)
    for name, text in databases.backup_units().items():
        yield _file(f"/etc/systemd/system/{name}", text)


def _file(path: str, content: str, permissions: str = "0644", *, late: bool = False) -> File:
    """One file; ``late`` is for those of packages, which would otherwise find them in their way."""
    written: File = {"path": path, "content": content, "permissions": permissions}
    return {**written, "defer": True} if late else written


def _start(spec: ControlPlaneSpec, role: Role, server: CloudServerSpec) -> Iterator[list[str]]:
    if role in {Role.API, Role.WORKER}:
        yield [scripts.INSTALL]
        services = units.units(spec, role, server)
        yield ["systemctl", "enable", *(name for name in services if name.endswith(".service"))]
        yield ["systemctl", "enable", "--now", "slipway-secrets.path"]
    elif role is Role.POSTGRES:
        # PostgreSQL reads both files as its own user.
        yield ["chown", "-R", "postgres:postgres", databases.CONFIGURATION]
        yield ["install", "-d", "-o", "root", "-g", "postgres", "-m", "0750", "/etc/pgbackrest/conf.d"]
        yield ["systemctl", "enable", "--now", *(name for name in databases.backup_units() if name.endswith(".timer"))]
    else:
        yield ["chown", "redis:redis", "/etc/redis/redis.conf", "/etc/redis/users.acl"]
        yield ["systemctl", "restart", "redis-server.service"]


def firewall(spec: ControlPlaneSpec, role: Role) -> str:
    """The host's own firewall for ``nft``."""
    return host_firewall(spec.inside, {*_SERVICE_PORTS[role], *EXPORTERS[role].values()})
