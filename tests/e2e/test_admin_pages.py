"""Staff's pages in a real browser. Each picture in ``tests/artefacts`` is there to be looked at."""

import pytest

from api.auth.models import Role
from tests.fixtures.api import Api
from tests.fixtures.busy_house import BusyHouse
from tests.fixtures.chromium import Screen

pytestmark = pytest.mark.e2e


def test_every_page_is_drawn_without_a_complaint(api: Api, house: BusyHouse, wide: Screen, colours: str) -> None:
    """No blocked style or script (the CSP is strict), no exception, no missing file; nothing runs off the side."""
    wide.log_in(api.staff(Role.ADMIN))
    wide_ones = []
    for name, path in house.pages.items():
        wide.open(path)
        wide.keep(f"{name}-{colours}")
        if wide.overflows():
            wide_ones.append(name)

    assert wide.complaints == []
    assert wide_ones == []


def test_every_page_fits_a_phone(api: Api, house: BusyHouse, narrow: Screen) -> None:
    """Nobody has to scroll sideways to read or to press."""
    narrow.log_in(api.staff(Role.ADMIN))
    wide_ones = []
    for name, path in house.pages.items():
        narrow.open(path)
        narrow.keep(f"{name}-phone")
        if narrow.overflows():
            wide_ones.append(name)

    assert wide_ones == []
    assert narrow.complaints == []
