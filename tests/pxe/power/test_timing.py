"""How long a BMC is waited for."""

from dataclasses import replace

import pytest

from pxe.power.errors import BmcBusy, BmcUnreachable
from tests.fixtures.bmc_rigs import fake_machine


def test_pauses_double_and_end() -> None:
    """A BMC is not hammered, and not waited for longer than allowed."""
    _, timing = fake_machine()
    timing = replace(timing, busy=60.0, poll=1.0)
    asked: list[float] = []

    def busy() -> None:
        asked.append(timing.clock())
        raise BmcBusy("no time")

    with pytest.raises(BmcBusy):
        timing.patient(busy)
    assert asked == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 25.5, 35.5, 45.5, 55.5]


def test_only_no_time_is_waited_out() -> None:
    """What may have been done is not done again."""
    _, timing = fake_machine()

    def lost() -> None:
        raise BmcUnreachable("no answer")

    with pytest.raises(BmcUnreachable):
        timing.patient(lost)
    assert timing.clock() == 0


def test_a_look_is_taken_at_the_very_end() -> None:
    """What became so during the last pause counts."""
    _, timing = fake_machine()
    assert timing.becomes(lambda: timing.clock() >= 10, 10)
    assert not timing.becomes(lambda: False, 10)
    assert timing.clock() == 20
