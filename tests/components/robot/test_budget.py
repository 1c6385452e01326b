"""How many requests a process may send."""

import pytest

from components.robot.budget import RequestBudget
from components.robot.errors import OutOfRequests


def test_a_request_too_many_is_not_sent() -> None:
    """The error says for how long; an hour after the first there is one again."""
    now = [0.0]
    budget = RequestBudget(lambda: now[0], requests=2, seconds=3600)
    budget.take()
    now[0] = 600
    budget.take()
    with pytest.raises(OutOfRequests, match="for 50 min"):
        budget.take()
    now[0] = 3600
    budget.take()
    with pytest.raises(OutOfRequests, match="for 10 min"):
        budget.take()


def test_robot_s_own_no_counts() -> None:
    """Whatever our count says."""
    now = [0.0]
    budget = RequestBudget(lambda: now[0])
    budget.close(120)
    with pytest.raises(OutOfRequests, match="for 2 min"):
        budget.take()
    now[0] = 120
    budget.take()
