"""The budget of a token."""

from lab.hcloud.limits import RateLimit


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now


def test_a_spent_budget_fills_up_again_a_little_every_second() -> None:
    """Two requests in ten seconds: one more is free after five."""
    clock = Clock()
    limit = RateLimit(clock, requests=2, seconds=10)
    assert [limit.spend("a")[0] for _ in range(3)] == [True, True, False]
    clock.now += 4.9
    assert not limit.spend("a")[0]
    clock.now += 0.2
    assert [limit.spend("a")[0] for _ in range(2)] == [True, False]


def test_the_headers_say_what_is_left_and_when_it_is_full_again() -> None:
    """The reset is a moment of the calendar; a budget never grows over its limit."""
    clock = Clock()
    limit = RateLimit(clock, requests=4, seconds=8)
    clock.now += 100
    assert limit.spend("a") == (
        True,
        {"RateLimit-Limit": "4", "RateLimit-Remaining": "3", "RateLimit-Reset": "1103"},
    )


def test_each_token_has_a_budget_of_its_own_and_a_new_limit_starts_full() -> None:
    """One that spends all does not stop the others."""
    limit = RateLimit(Clock(), requests=1, seconds=60)
    assert [limit.spend(token)[0] for token in ("a", "a", "b")] == [True, False, True]
    limit.set(1, 60)
    assert limit.spend("a")[0]
