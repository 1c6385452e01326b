"""Probes of our own services, where nobody answers."""

from pathlib import Path

import pytest

from automation.embedded.redis import EmbeddedRedis
from automation.embedded.services import api_is_ready, worker_answers

pytestmark = pytest.mark.processes


def test_a_worker_that_is_not_there_does_not_answer_also_after_a_restart_of_redis(tmp_path: Path) -> None:
    """The second system in a process must not trip over the first one's connections."""
    for _ in range(3):
        redis = EmbeddedRedis(tmp_path / "redis")
        assert not worker_answers(redis.url, "nobody@here")
        redis.stop()
    assert not worker_answers(redis.url, "nobody@here")


def test_an_api_that_is_not_there_is_not_ready() -> None:
    """A refused connection is an answer."""
    assert not api_is_ready("http://127.0.0.1:9")
