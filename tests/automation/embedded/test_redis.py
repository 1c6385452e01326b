"""The embedded Redis starts, keeps what it was given, and leaves nothing running."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from automation.embedded.redis import EmbeddedRedis


def _pid(server: EmbeddedRedis) -> int:
    with Redis.from_url(server.url) as client:
        return int(client.info("server")["process_id"])


def test_what_was_stored_survives_a_restart(tmp_path: Path) -> None:
    """Queued jobs are still there after the server was stopped and started again."""
    first = EmbeddedRedis(tmp_path)
    with Redis.from_url(first.url) as client:
        client.rpush("jobs", "one")
    first.stop()

    second = EmbeddedRedis(tmp_path)
    with Redis.from_url(second.url) as client:
        kept = client.lrange("jobs", 0, -1)
    second.stop()

    assert kept == [b"one"]


def test_a_stopped_server_leaves_no_process_and_answers_no_more(tmp_path: Path) -> None:
    """Stopping is complete when ``stop`` returns, and stopping twice is harmless."""
    server = EmbeddedRedis(tmp_path)
    pid = _pid(server)

    server.stop()
    server.stop()

    assert not psutil.pid_exists(pid)
    with Redis.from_url(server.url) as client, pytest.raises(RedisConnectionError):
        client.ping()


_OWNER = """
import os, pathlib, sys
from automation.embedded.redis import EmbeddedRedis
EmbeddedRedis(pathlib.Path(sys.argv[1]))
os._exit(0)  # as abrupt as a kill: nothing is cleaned up
"""


def test_a_server_left_behind_is_taken_over_and_stopped(tmp_path: Path) -> None:
    """A start in a directory whose server still runs, because its owner was killed, uses and later stops that one."""
    subprocess.run([sys.executable, "-c", _OWNER, str(tmp_path)], check=True)
    with Redis(unix_socket_path=str(tmp_path / "redis.sock")) as client:
        orphan = int(client.info("server")["process_id"])

    heir = EmbeddedRedis(tmp_path)
    taken_over = _pid(heir)
    heir.stop()

    assert taken_over == orphan
    assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE


def test_it_never_throws_a_job_away_to_save_memory(tmp_path: Path) -> None:
    """The server is set to refuse writes rather than evict when memory is short."""
    server = EmbeddedRedis(tmp_path)
    with Redis.from_url(server.url) as client:
        policy = client.config_get("maxmemory-policy")
    server.stop()

    assert policy == {"maxmemory-policy": "noeviction"}


def test_a_path_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    """Unix sockets have short paths; the error says so instead of the kernel's 'invalid argument'."""
    with pytest.raises(RuntimeError, match="too long for a unix socket"):
        EmbeddedRedis(tmp_path / ("a" * 120))


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """What the server logged is part of the error."""
    (tmp_path / "redis.sock").mkdir()

    with pytest.raises(RuntimeError, match=r"did not start:[\s\S]*socket"):
        EmbeddedRedis(tmp_path)
