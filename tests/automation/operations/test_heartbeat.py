"""How a worker knows whether its lease is still its own."""

import threading

from api.errors import LeaseLost
from automation.operations.heartbeat import Heartbeat

LEASE_SECONDS = 30.0


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time, in seconds."""
        return self.now


class Database:
    """What renews the lease: as often as it may, with the trouble it is told to have."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.renewals = 0
        self.asked = threading.Event()

    def renew(self) -> None:
        """Renew the lease, or fail."""
        self.asked.set()
        if self.trouble is not None:
            raise self.trouble
        self.renewals += 1


def _heartbeat(database: Database, clock: Clock) -> Heartbeat:
    return Heartbeat(database.renew, LEASE_SECONDS, asked_at=clock.now, clock=clock)


def test_a_renewed_lease_is_ours_for_another_full_length() -> None:
    """Counted from before the renewal was asked for."""
    clock, database = Clock(), Database()
    heartbeat = _heartbeat(database, clock)
    clock.now += 20
    heartbeat.beat()
    clock.now += 29
    assert heartbeat.is_ours
    clock.now += 1
    assert not heartbeat.is_ours


def test_a_database_that_is_away_for_a_moment_costs_nothing() -> None:
    """Two beats fail, the third is in time."""
    clock, database = Clock(), Database()
    heartbeat = _heartbeat(database, clock)
    database.trouble = ConnectionError("away")
    for _ in range(2):
        clock.now += 10
        heartbeat.beat()
    assert heartbeat.is_ours
    database.trouble = None
    heartbeat.beat()
    clock.now += 29
    assert heartbeat.is_ours


def test_a_database_that_stays_away_costs_the_lease_when_it_has_run_out() -> None:
    """By then another worker may have it, whether we can see that or not."""
    clock, database = Clock(), Database()
    heartbeat = _heartbeat(database, clock)
    database.trouble = ConnectionError("away")
    clock.now += LEASE_SECONDS
    heartbeat.beat()
    assert not heartbeat.is_ours


def test_a_renewal_that_hangs_does_not_keep_the_lease_alive() -> None:
    """The time is counted by the clock and not by the number of failed beats."""
    clock, database = Clock(), Database()
    heartbeat = _heartbeat(database, clock)
    clock.now += LEASE_SECONDS + 1
    assert not heartbeat.is_ours


def test_a_lease_that_somebody_else_has_is_lost_at_once_and_for_good() -> None:
    """A later success of the database changes nothing."""
    clock, database = Clock(), Database()
    heartbeat = _heartbeat(database, clock)
    database.trouble = LeaseLost("taken over")
    heartbeat.beat()
    assert not heartbeat.is_ours
    database.trouble = None
    heartbeat.beat()
    assert not heartbeat.is_ours


def test_whoever_learns_of_the_loss_elsewhere_can_say_so() -> None:
    """A refused line of the log is as good a proof as a refused renewal."""
    heartbeat = _heartbeat(Database(), Clock())
    heartbeat.lose()
    assert not heartbeat.is_ours


def test_the_thread_beats_by_itself_and_ends_with_its_block() -> None:
    """In thirds of the lease's length."""
    clock, database = Clock(), Database()
    with Heartbeat(database.renew, 0.03, asked_at=clock.now, clock=clock) as heartbeat:
        assert database.asked.wait(30)
        assert heartbeat.is_ours
    assert "lease-heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_the_thread_ends_when_the_lease_is_lost() -> None:
    """Nothing is left to renew."""
    clock, database = Clock(), Database()
    database.trouble = LeaseLost("taken over")
    with Heartbeat(database.renew, 0.03, asked_at=clock.now, clock=clock) as heartbeat:
        heartbeat._thread.join(30)
        assert not heartbeat._thread.is_alive()
