"""The embedded servers are started as `slipway up` starts them: in the foreground, under a supervisor."""

from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from automation.embedded.probes import ensure_database, postgres_answers, redis_answers
from automation.embedded.servers import postgres_service, redis_service
from automation.embedded.supervisor import Supervisor

pytestmark = pytest.mark.processes


@pytest.mark.timeout(120)
def test_postgres_keeps_its_data_and_leaves_no_process(tmp_path: Path) -> None:
    """A row outlives the server; the server does not outlive its supervisor, though a client is connected."""
    postgres = postgres_service(tmp_path / "pg")
    url = postgres.url("slipway-state")
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(postgres.service)
        ensure_database(url)
        ensure_database(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        tree = psutil.Process(supervisor.pids()["postgres"]).children(recursive=True)
        client = psycopg.connect(url)
    assert not [process for process in tree if process.is_running()]
    assert not postgres_answers(url)
    client.close()

    again = postgres_service(tmp_path / "pg")
    with Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start(again.service)
        with psycopg.connect(again.url("slipway-state")) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_redis_keeps_its_data(tmp_path: Path) -> None:
    """Queued jobs outlive a restart."""
    service, url = redis_service(tmp_path / "redis")
    for expected in (None, b"job"):
        with Supervisor(tmp_path / "logs") as supervisor:
            supervisor.start(service)
            with Redis.from_url(url) as redis:
                assert redis.get("queue") == expected
                redis.set("queue", "job")
    assert not redis_answers(url)


def test_a_server_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    """Probes say no; they do not raise."""
    assert not postgres_answers(f"postgresql+psycopg://postgres:@/x?host={tmp_path}")
    assert not redis_answers(f"unix://{tmp_path}/redis.sock")
