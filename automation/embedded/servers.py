"""PostgreSQL and Redis as services that a supervisor keeps in the foreground."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from automation.embedded.environment import for_servers
from automation.embedded.postgres import initialise, socket_directory
from automation.embedded.probes import postgres_answers, redis_answers
from automation.embedded.redis import server_command
from automation.embedded.supervisor import Service


@dataclass(frozen=True)
class PostgresService:
    """A PostgreSQL server to be started.

    Attributes:
        service: for the supervisor.
        directory: where its unix socket is; it listens nowhere else.
    """

    service: Service
    directory: Path

    def url(self, database: str) -> str:
        """Return the address of a database; ``database`` is ours, never a customer's word."""
        return f"postgresql://postgres:@/{database}?host={self.directory}"


def postgres_service(directory: Path) -> PostgresService:
    """Describe a PostgreSQL server in ``directory``, initialising that first; blocks for seconds the first time."""
    server = initialise(directory)
    sockets = socket_directory(server)
    arguments = ["-D", str(server.pgdata), "-k", str(sockets), "-h", "", "-c", "unix_socket_permissions=0700"]
    address = f"postgresql://postgres:@/postgres?host={sockets}"
    service = Service(
        "postgres",
        [str(server.bin_path / "postgres"), *arguments],
        for_servers(os.environ),
        lambda: postgres_answers(address),
        # SIGTERM would wait for every client to go; SIGINT ends their sessions (postgres(1), "fast shutdown").
        stop_signal=signal.SIGINT,
        grace_seconds=20.0,
        user=server.system_user,
    )
    return PostgresService(service, sockets)


def redis_service(directory: Path) -> tuple[Service, str]:
    """Describe a Redis server that keeps its data in ``directory``, and return its address with it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket = directory / "redis.sock"
    url = f"unix://{socket}"
    command = server_command(directory, socket, durable=True)
    return Service("redis", command, for_servers(os.environ), lambda: redis_answers(url)), url
