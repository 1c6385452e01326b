"""The hourly limit of a login and the lock-out of an address."""

from lab.robot.limits import FAILED_LOGINS, LOCKED_OUT, HourlyLimit, LockOut


def test_a_login_has_its_requests_in_any_hour() -> None:
    """Not in a fixed window: each request frees its place an hour later. Logins do not share."""
    now = [0.0]
    limit = HourlyLimit(lambda: now[0], requests=2)
    assert limit.passes("a")
    now[0] = 1800
    assert [limit.passes("a") for _ in range(2)] == [True, False]
    assert limit.passes("b")
    now[0] = 3600
    assert [limit.passes("a") for _ in range(2)] == [True, False]


def test_without_a_number_nothing_is_limited() -> None:
    """As a test may want it."""
    limit = HourlyLimit(lambda: 0.0, requests=None)
    assert all(limit.passes("a") for _ in range(500))


def test_three_failed_logins_in_a_row_lock_an_address_out() -> None:
    """A good one in between begins the count anew; other addresses are not concerned."""
    now = [0.0]
    lock_out = LockOut(lambda: now[0])
    for _ in range(FAILED_LOGINS - 1):
        lock_out.failed("1")
    lock_out.succeeded("1")
    for _ in range(FAILED_LOGINS - 1):
        lock_out.failed("1")
    assert not lock_out.holds("1")
    lock_out.failed("1")
    assert (lock_out.holds("1"), lock_out.holds("2")) == (True, False)
    now[0] = LOCKED_OUT
    assert not lock_out.holds("1")
