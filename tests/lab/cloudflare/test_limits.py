"""The rate limit."""

from lab.cloudflare.limits import RateLimit


def test_a_window_lets_so_many_requests_pass_and_tells_when_the_next_begins() -> None:
    """The answer to a request too many is the number of seconds to wait."""
    now = 100.0
    limit = RateLimit(lambda: now, requests=2, seconds=60)
    assert [limit.retry_after() for _ in range(3)] == [None, None, 20]
    now = 120.0
    assert limit.retry_after() is None


def test_without_a_number_nothing_is_limited() -> None:
    """The limit is off unless a test asks for it."""
    limit = RateLimit(lambda: 0.0)
    assert {limit.retry_after() for _ in range(2000)} == {None}
