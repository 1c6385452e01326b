"""Address of the Pulumi state: a PostgreSQL database of its own.

Apart from the application's database for three reasons: each start of the CLI runs DDL there, which waits for any
open writing transaction; its rows may be read by another role; and its name is part of every key.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg

from automation.engine.contract import EngineUnavailable

_PREPARE_SECONDS = 60
_PREPARE_TRIES = 3
_CONNECT_SECONDS = 5
_STRANGERS = """
    (SELECT key FROM pulumi_state WHERE key ~<~ %s ORDER BY key USING ~<~ LIMIT 1) UNION ALL
    (SELECT key FROM pulumi_state WHERE key ~>=~ %s ORDER BY key USING ~<~ LIMIT 1)
"""
_DATABASE = re.compile(r"[a-z0-9-]{1,63}")
_SCHEME = re.compile(r"postgres(ql)?(\+psycopg(2)?)?")
# The CLI connects with lib/pq, which sends a parameter it does not know to the server, and that refuses it.
_PARAMETERS = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "connect_timeout"})
# lib/pq knows neither of these; without TLS is all right only where the traffic stays on the machine.
_OPPORTUNISTIC = frozenset({"", "allow", "prefer"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def state_url(dsn: str, database: str) -> str:
    """Derive the state's address from the application's: same server, another database.

    Args:
        dsn: a SQLAlchemy or libpq URL: ``postgresql+psycopg://user:password@host:5432/name?sslmode=require`` or, over
            a Unix socket, ``postgresql+psycopg://user@/name?host=/run/postgresql``.
        database: the state's database, of ``[a-z0-9-]``: a ``_`` would turn each prefix query of the state store
            into a sequential scan, and renaming it later makes every stack invisible, for keys start with it.

    Returns:
        An address for ``PULUMI_BACKEND_URL``. Holds the password, if any: pass it in the environment only.

    Raises:
        ValueError: if the address is not PostgreSQL's, names no host or socket, or ``database`` breaks the rule.
    """
    if not _DATABASE.fullmatch(database):
        raise ValueError(f"state database {database!r}: use 1 to 63 lower-case letters, digits and hyphens")
    parts = urlsplit(dsn)
    if not _SCHEME.fullmatch(parts.scheme):
        raise ValueError("the database address must start with postgresql:// or postgresql+psycopg://")
    query = dict(parse_qsl(parts.query))
    socket_directory = query.get("host", "")
    if socket_directory.startswith("/"):
        return _socket_url(parts.username, parts.password, socket_directory, query, database)
    if not parts.hostname:
        raise ValueError("the database address names neither a host nor a socket directory (?host=/run/postgresql)")
    if query.get("sslmode", "") in _OPPORTUNISTIC:
        query["sslmode"] = "disable" if parts.hostname in _LOOPBACK else "require"
    return f"postgres://{parts.netloc}/{database}{_query(query)}"


def prepare_state(pulumi: Path, url: str) -> None:
    """Have the CLI make its table, unless it is there; blocks for a moment. To be done before any operation.

    Each start of the CLI makes the table where it is missing, but with ``CREATE TABLE IF NOT EXISTS``, which fails in
    all but one of several that do it at once (PostgreSQL's ``pg_type_typname_nsp_index``): the first orders of a new
    system would fail. The same holds for workers that start together, hence the tries.

    Args:
        pulumi: path of the CLI.
        url: what ``state_url`` made.

    Raises:
        EngineUnavailable: if the database cannot be reached or written to, or holds the state of a database of another
            name, which the CLI would not see: it would make everything a second time.
    """
    _refuse_strangers(url)
    with tempfile.TemporaryDirectory(prefix="slipway-state-") as home:
        environment = {
            "HOME": home,
            "PULUMI_HOME": home,
            "PULUMI_BACKEND_URL": url,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "true",
        }
        for _ in range(_PREPARE_TRIES):
            done = subprocess.run(
                [pulumi, "whoami", "--non-interactive"],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PREPARE_SECONDS,
                check=False,
            )
            if done.returncode == 0:
                return
    raise EngineUnavailable(f"the state database cannot be used: {done.stderr.replace(url, '[address]').strip()}")


def _refuse_strangers(url: str) -> None:
    """Look before the CLI is started, for that writes its first row under the new name at once."""
    name = unquote(urlsplit(url).path).strip("/")
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS, autocommit=True) as connection:
            if connection.execute("SELECT to_regclass('pulumi_state')").fetchone() == (None,):
                return
            # In the order of bytes, which the prefix index has: the next key after ``name/`` is ``name0``.
            strangers = connection.execute(_STRANGERS, [f"{name}/", f"{name}0"]).fetchall()
    except psycopg.Error as error:
        raise EngineUnavailable(f"the state database cannot be used: {error}".replace(url, "[address]")) from error
    for (key,) in strangers:
        other = str(key).split("/")[0]
        raise EngineUnavailable(
            f'the state database "{name}" holds the state of "{other}": restored under another name, or renamed. '
            "Every key starts with the database's name, so all workloads would look as if they did not exist. Give it "
            f'its name back (ALTER DATABASE "{name}" RENAME TO "{other}") and set SLIPWAY_STATE_DATABASE_URL to that; '
            "see docs/runbooks/restore-the-state-database.md"
        )


def _socket_url(user: str | None, password: str | None, directory: str, query: Mapping[str, str], database: str) -> str:
    """Write the form for a Unix socket; it needs ``user:password@`` even where the password is empty."""
    login = f"{quote(unquote(user or 'postgres'), safe='')}:{quote(unquote(password or ''), safe='')}"
    return f"postgres://{login}@/{database}{_query({**query, 'host': directory})}"


def _query(parameters: Mapping[str, str]) -> str:
    kept = {key: value for key, value in sorted(parameters.items()) if key in _PARAMETERS}
    if parameters.get("host", "").startswith("/"):
        kept = {"host": parameters["host"], **kept}
        if "port" in parameters:
            kept["port"] = parameters["port"]
    return f"?{urlencode(kept, safe='/')}" if kept else ""
