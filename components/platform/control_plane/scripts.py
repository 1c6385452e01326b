"""What an operator runs on the servers. Pure: text from a spec; secrets are read from files at run time."""

from components.platform.control_plane.databases import DATA, STANZA, VERSION, slot
from components.platform.control_plane.units import CACHE, HOME
from components.specs.platform import CloudServerSpec
from components.specs.platform.control_plane import ControlPlaneSpec, Role

INSTALL, POSTGRES = "/usr/local/sbin/slipway-install", "/usr/local/sbin/slipway-postgres"


def install(spec: ControlPlaneSpec, role: Role) -> str:
    """Put a revision of Slipway into place: at the first boot, and for each upgrade."""
    toolchain = ""
    if role is Role.WORKER:
        toolchain = f"""\
install -d -o slipway -g slipway -m 0755 {CACHE}
runuser -u slipway -- env HOME=/var/lib/slipway SLIPWAY_CACHE_DIR={CACHE} .venv/bin/python -m automation.toolchain
"""
    return f"""\
#!/bin/sh
# Usage: slipway-install [REVISION]
set -eu
revision="${{1:-{spec.release.revision}}}"
test -d {HOME}/.git || git clone --quiet '{spec.release.repository}' {HOME}
cd {HOME}
git fetch --quiet --tags origin
git checkout --quiet --detach "$(git rev-parse --verify --quiet "origin/$revision" || echo "$revision")"
make setup
{toolchain}if systemctl --quiet is-active slipway.target; then systemctl restart slipway.target; fi
"""


def postgres(spec: ControlPlaneSpec, server: CloudServerSpec) -> str:
    """Make a server the primary or a standby, or bring it back to a moment.

    Names in the SQL are slugs; passwords come from the environment and are quoted by psql.
    """
    others = ", ".join(f"'{slot(other)}'" for other in spec.postgres if other != server)
    return f"""\
#!/bin/sh
# Usage: slipway-postgres primary | standby | promote | restore 'YYYY-MM-DD HH:MM:SS+00'
# Reads OWNER_PASSWORD, APP_PASSWORD, STATE_PASSWORD and REPLICATION_PASSWORD from /etc/slipway/postgres.env.
set -eu
as_postgres() {{ runuser -u postgres -- "$@"; }}
cluster() {{ systemctl "$1" postgresql@{VERSION}-main; }}
case "${{1:-}}" in
primary)
    set -a; . /etc/slipway/postgres.env; set +a
    cluster restart
    # Values go in by variables of psql, which quotes them; they are on no command line.
    as_postgres psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 postgres <<'SQL'
\\getenv owner_password OWNER_PASSWORD
\\getenv app_password APP_PASSWORD
\\getenv state_password STATE_PASSWORD
\\getenv replication_password REPLICATION_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['slipway_owner', 'slipway', 'slipway_state']) AS name
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \\gexec
SELECT 'CREATE ROLE replicator LOGIN REPLICATION'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replicator') \\gexec
SELECT 'CREATE ROLE prometheus LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prometheus') \\gexec
SELECT 'CREATE ROLE slipway_app NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'slipway_app') \\gexec
ALTER ROLE slipway_owner PASSWORD :'owner_password';
ALTER ROLE slipway PASSWORD :'app_password';
ALTER ROLE slipway_state PASSWORD :'state_password';
ALTER ROLE replicator PASSWORD :'replication_password';
GRANT slipway_app TO slipway, slipway_owner;
GRANT pg_monitor TO prometheus;
SELECT 'CREATE DATABASE slipway OWNER slipway_owner'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'slipway') \\gexec
SELECT 'CREATE DATABASE "slipway-state" OWNER slipway_state'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'slipway-state') \\gexec
SELECT pg_create_physical_replication_slot(name) FROM unnest(ARRAY[{others}]) AS name
    WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = name);
SQL
    as_postgres pgbackrest --stanza={STANZA} stanza-create
    as_postgres pgbackrest --stanza={STANZA} check
    as_postgres pgbackrest --stanza={STANZA} --type=full backup
    ;;
standby)
    set -a; . /etc/slipway/postgres.env; set +a
    umask 077
    printf '*:*:*:replicator:%s\\n' "$REPLICATION_PASSWORD" > /var/lib/postgresql/.pgpass
    chown postgres: /var/lib/postgresql/.pgpass
    cluster stop
    as_postgres pgbackrest --stanza={STANZA} --type=standby restore
    cluster start
    ;;
promote)
    as_postgres psql --no-psqlrc --command 'SELECT pg_promote()' postgres
    ;;
restore)
    cluster stop
    as_postgres pgbackrest --stanza={STANZA} --type=time --target="$2" --target-action=promote restore
    cluster start
    ;;
*)
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2
    ;;
esac
test -d {DATA}
"""  # noqa: S608 - see above
