"""Whatever happens, in whatever order, an order is delivered, refunded, or visibly waiting for somebody."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from api.db.session import Database
from tests.fixtures.postgres import empty_database
from tests.model.hosting import Hosting, a_hosting
from tests.model.machine import LifeOfOrders

_STATEMENTS_ARE_SLOW = 6
"""A life takes as long as many plain examples: a sixth of the profile's number is looked at."""


_LONGEST_SECONDS = 6 * 3600


@pytest.mark.timeout(_LONGEST_SECONDS)
def test_the_life_of_orders(database: Database, database_url: str, tmp_path: Path) -> None:
    """After each step of any life the invariants hold, and in the end every order has ended well."""

    class Life(LifeOfOrders):
        @staticmethod
        def open_hosting(stack: ExitStack) -> Hosting:
            return stack.enter_context(a_hosting(database, tmp_path, lambda: empty_database(database_url)))

    profile = settings.default
    assert profile is not None
    is_default = profile is settings.get_profile("default")
    run_state_machine_as_test(
        Life,
        settings=settings(
            profile,
            max_examples=max(1, profile.max_examples // _STATEMENTS_ARE_SLOW),
            deadline=None,
            derandomize=is_default,  # `make test` looks at the same lives each time; the nightly run at new ones
            suppress_health_check=list(HealthCheck),
            phases=[phase for phase in profile.phases if phase is not Phase.explain],
        ),
    )
