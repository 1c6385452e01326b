"""Pages of machines in a real browser. Each picture in ``tests/artefacts`` is there to be looked at."""

import pytest

from api.auth.models import Role
from tests.fixtures.api import Api
from tests.fixtures.chromium import Screen
from tests.fixtures.iron_house import IronHouse

pytestmark = pytest.mark.e2e


def test_every_page_of_machines_is_drawn_without_a_complaint(
    api: Api, iron: IronHouse, wide: Screen, colours: str
) -> None:
    """No blocked style or script, no exception, no missing file; nothing runs off the side."""
    wide.log_in(api.staff(Role.ADMIN))
    wide_ones = []
    for name, path in {**iron.pages, "dashboard-machines": "/admin", "alerts-machines": "/admin/alerts"}.items():
        wide.open(path)
        wide.keep(f"{name}-{colours}")
        if wide.overflows():
            wide_ones.append(name)

    assert wide.complaints == []
    assert wide_ones == []


def test_every_page_of_machines_fits_a_phone(api: Api, iron: IronHouse, narrow: Screen) -> None:
    """Nobody has to scroll sideways to read or to press."""
    narrow.log_in(api.staff(Role.ADMIN))
    wide_ones = []
    for name, path in iron.pages.items():
        narrow.open(path)
        narrow.keep(f"{name}-phone")
        if narrow.overflows():
            wide_ones.append(name)

    assert wide_ones == []
    assert narrow.complaints == []
