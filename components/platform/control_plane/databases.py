"""Configuration of PostgreSQL, pgBackRest and Redis. Pure: text from a spec, without secrets."""

from collections.abc import Mapping

from components.specs.platform import CloudServerSpec
from components.specs.platform.control_plane import ControlPlaneSpec

VERSION = 17
"""Debian 13's PostgreSQL."""
STANZA = "slipway"
POSTGRES_PORT, REDIS_PORT = 5432, 6379
DATA, CONFIGURATION = f"/var/lib/postgresql/{VERSION}/main", f"/etc/postgresql/{VERSION}/main"


def postgres_configuration(spec: ControlPlaneSpec, server: CloudServerSpec) -> str:
    """What every PostgreSQL server has, so that each can be primary and standby; who is which, the data folder says."""
    primary = spec.postgres[0]
    following = ""
    if server != primary:
        login = "user=replicator passfile=/var/lib/postgresql/.pgpass sslmode=require"
        following = (
            f"primary_conninfo = 'host={primary.private_address} port={POSTGRES_PORT} {login} "
            f"application_name={server.name}'\nprimary_slot_name = '{slot(server)}'\n"
        )
    return f"""\
listen_addresses = 'localhost,{server.private_address}'
password_encryption = 'scram-sha-256'
wal_level = replica
wal_log_hints = on
max_wal_senders = 10
max_replication_slots = 10
# A standby that stays away must not fill the primary's disk; it then starts anew from the archive.
max_slot_wal_keep_size = '8GB'
hot_standby = on
archive_mode = on
archive_timeout = '60s'
archive_command = 'pgbackrest --stanza={STANZA} archive-push %p'
restore_command = 'pgbackrest --stanza={STANZA} archive-get %f "%p"'
recovery_target_timeline = 'latest'
log_min_duration_statement = '1s'
{following}"""


def slot(server: CloudServerSpec) -> str:
    """The replication slot of a standby; PostgreSQL allows no hyphens in its name."""
    return server.name.replace("-", "_")


def postgres_access(spec: ControlPlaneSpec) -> str:
    """Who may log in from where: people on the host itself, Slipway from inside, standbys for replication."""
    standbys = "".join(
        f"hostssl replication replicator {server.private_address}/32 scram-sha-256\n" for server in spec.postgres
    )
    return f"""\
local   all         postgres                 peer
local   all         all                      peer
hostssl all         all         127.0.0.1/32 scram-sha-256
hostssl slipway,slipway-state all {spec.inside.network} scram-sha-256
{standbys}"""


def archive_configuration(spec: ControlPlaneSpec) -> str:
    """Configure pgBackRest; its keys are in ``/etc/pgbackrest/conf.d``, where an operator puts them."""
    archive = spec.archive
    return f"""\
[global]
repo1-type=s3
repo1-s3-endpoint={archive.endpoint}
repo1-s3-bucket={archive.bucket}
repo1-s3-region={archive.region}
repo1-path=/{STANZA}
repo1-cipher-type=aes-256-cbc
repo1-retention-full={archive.full_backups}
start-fast=y
delta=y
process-max=2
compress-type=zst
log-level-console=warn

[{STANZA}]
pg1-path={DATA}
pg1-port={POSTGRES_PORT}
"""


def backup_units() -> Mapping[str, str]:
    """Services and timers of the backups: full each Sunday, else what has changed. A standby makes none."""
    found: dict[str, str] = {}
    for kind, when in (("full", "Sun *-*-* 02:30:00 UTC"), ("diff", "Mon..Sat *-*-* 02:30:00 UTC")):
        found[f"slipway-backup-{kind}.service"] = f"""\
[Unit]
Description=Backup of PostgreSQL ({kind})
ConditionPathExists=/etc/pgbackrest/conf.d/secrets.conf
ConditionPathExists=!{DATA}/standby.signal
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User=postgres
ExecStart=/usr/bin/pgbackrest --stanza={STANZA} --type={kind} backup
Nice=10
"""
        found[f"slipway-backup-{kind}.timer"] = f"""\
[Unit]
Description=Backup of PostgreSQL ({kind})

[Timer]
OnCalendar={when}
RandomizedDelaySec=15min
Persistent=yes

[Install]
WantedBy=timers.target
"""
    return found


def redis_configuration(server: CloudServerSpec) -> str:
    """Redis as a broker: it keeps what it was told across a restart, and refuses rather than forgets."""
    return f"""\
bind 127.0.0.1 {server.private_address}
port {REDIS_PORT}
protected-mode yes
supervised systemd
daemonize no
dir /var/lib/redis
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
aclfile /etc/redis/users.acl
"""


LOCKED_REDIS = "user default off\n"
"""Until an operator has brought the users, nobody gets in."""
