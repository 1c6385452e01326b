"""The systemd units of API, worker and timetable. Pure: text from a spec, without secrets."""

from collections.abc import Mapping

from components.specs.platform import CloudServerSpec
from components.specs.platform.control_plane import ControlPlaneSpec, Role

HOME = "/opt/slipway"
PYTHON = f"{HOME}/.venv/bin/python"
SETTINGS, SECRETS, OWNER = "/etc/slipway/slipway.env", "/etc/slipway/secrets.env", "/etc/slipway/migration.env"
"""What a unit's environment is read from, by systemd itself: as root, before the service has its own user."""
API_PORT = 8000
STATE, CACHE = "/var/lib/slipway", "/var/cache/slipway"
_STOP_SECONDS = 960
"""Longer than an operation's deadline (``operation_deadline_seconds``), so that a restart waits for its end."""

_HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""
"""Each service sees the system read-only and owns nothing but its own folders."""

_ENGINE = _HARDENED.replace("SystemCallFilter=~@privileged @resources\n", "SystemCallFilter=~@privileged\n")
"""The engine limits its children's memory, which the group ``@resources`` holds (``prlimit``)."""

_COMMON = f"""\
WorkingDirectory={HOME}
EnvironmentFile={SETTINGS}
EnvironmentFile={SECRETS}
Environment=PYTHONUNBUFFERED=1
"""

_WAITING = f"""\
ConditionPathExists={SECRETS}
Wants=network-online.target
After=network-online.target slipway-install.service
PartOf=slipway.target
StartLimitIntervalSec=0
"""
"""Until an operator has brought the secrets there is nothing to start, and nothing that fails."""

TARGET = """\
[Unit]
Description=Slipway's services on this server
"""

SECRETS_PATH = f"""\
[Unit]
Description=Starts Slipway when its secrets are there

[Path]
PathExists={SECRETS}
Unit=slipway.target

[Install]
WantedBy=multi-user.target
"""


def units(spec: ControlPlaneSpec, role: Role, server: CloudServerSpec) -> Mapping[str, str]:
    """Return the units of a server by their file names; empty for one that runs only packages of the distribution."""
    if role is Role.API:
        first = server == spec.api[0]
        services = {"slipway-api.service": _api(spec, server, migrates=first)}
        return _started({**services, **({"slipway-migrate.service": _migrate()} if first else {})})
    if role is Role.WORKER:
        services = {"slipway-worker.service": _worker(spec, server)}
        return _started({**services, **({"slipway-beat.service": _beat()} if server == spec.workers[0] else {})})
    return {}


def _started(services: Mapping[str, str]) -> Mapping[str, str]:
    return {"slipway.target": TARGET, "slipway-secrets.path": SECRETS_PATH, **services}


def _api(spec: ControlPlaneSpec, server: CloudServerSpec, *, migrates: bool) -> str:
    """The API on its private address, behind the load balancer, whose word on callers it takes."""
    address = server.private_address
    options = f"--factory api.serve:app --host {address} --port {API_PORT} --timeout-graceful-shutdown 30"
    proxy = f"--proxy-headers --forwarded-allow-ips {spec.inside.load_balancer}"
    # A unit that says it has started answers: what comes after it, a rolling upgrade too, may rely on that.
    check = (
        "/usr/bin/curl --silent --show-error --fail --output /dev/null --retry 60 --retry-delay 1 --retry-connrefused"
    )
    order = "Requires=slipway-migrate.service\nAfter=slipway-migrate.service\n" if migrates else ""
    return f"""\
[Unit]
Description=Slipway API
{_WAITING}{order}
[Service]
Type=exec
DynamicUser=yes
{_COMMON}ExecStart={PYTHON} -m uvicorn {options} {proxy} --no-server-header --no-access-log
ExecStartPost={check} http://{address}:{API_PORT}/healthz
Restart=always
RestartSec=2
TimeoutStartSec=120
TimeoutStopSec=45
{_HARDENED}
[Install]
WantedBy=slipway.target
"""


def _migrate() -> str:
    """Schema and catalogue; as the tables' owner, whose login only this unit has."""
    return f"""\
[Unit]
Description=Slipway's database schema and catalogue
{_WAITING}ConditionPathExists={OWNER}

[Service]
Type=oneshot
DynamicUser=yes
{_COMMON}EnvironmentFile={OWNER}
ExecStart={HOME}/.venv/bin/slipway migrate
TimeoutStartSec=900
{_HARDENED}
[Install]
WantedBy=slipway.target
"""


def _worker(spec: ControlPlaneSpec, server: CloudServerSpec) -> str:
    """A Celery worker with the engine: it owns its work files and the toolchain's cache, and is given time to end."""
    celery = f"{PYTHON} -m celery --app automation.worker worker --loglevel INFO --pool prefork"
    return f"""\
[Unit]
Description=Slipway worker
{_WAITING}
[Service]
Type=exec
User=slipway
Group=slipway
{_COMMON}Environment=HOME={STATE}
StateDirectory=slipway
StateDirectoryMode=0700
CacheDirectory=slipway
ExecStart={celery} --concurrency {spec.worker_processes} --hostname {server.name}@%H
KillMode=mixed
Restart=always
RestartSec=2
TimeoutStopSec={_STOP_SECONDS}
OOMPolicy=continue
{_ENGINE}
[Install]
WantedBy=slipway.target
"""


def _beat() -> str:
    """The timetable, once in the estate; rows and not its messages are the truth, so a pause costs time only."""
    return f"""\
[Unit]
Description=Slipway timetable
{_WAITING}
[Service]
Type=exec
DynamicUser=yes
{_COMMON}StateDirectory=slipway-beat
ExecStart={PYTHON} -m celery --app automation.worker beat --loglevel INFO --schedule %S/slipway-beat/schedule --pidfile=
Restart=always
RestartSec=2
{_HARDENED}
[Install]
WantedBy=slipway.target
"""


def settings(spec: ControlPlaneSpec) -> str:
    """The environment that is no secret."""
    fixed = {"SLIPWAY_WORK_ROOT": f"{STATE}/work", "SLIPWAY_CACHE_DIR": CACHE}
    return "".join(f"{name}={_quoted(value)}\n" for name, value in {**spec.settings, **fixed}.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    return f'"{escaped}"'
