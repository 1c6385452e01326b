"""Pages of machines in a real browser. Each picture in ``tests/artefacts`` is there to be looked at."""

import pytest

from api.auth.models import Role
from api.machines.models import DeploymentStatus
from components.specs.machine import DeploymentPhase
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


def test_a_customers_pages_are_drawn_without_a_complaint(iron: IronHouse, wide: Screen, colours: str) -> None:
    """The list, and machines that run, are being installed, or in rescue."""
    wide.log_in(iron.owner)
    wide_ones = []
    for name, path in iron.own_pages.items():
        wide.open(path)
        wide.keep(f"{name}-{colours}")
        if wide.overflows():
            wide_ones.append(name)

    assert wide.complaints == []
    assert wide_ones == []


def test_a_customers_pages_fit_a_phone(iron: IronHouse, narrow: Screen) -> None:
    """With every form folded out, too."""
    narrow.log_in(iron.owner)
    wide_ones = []
    for name, path in iron.own_pages.items():
        narrow.open(path)
        for summary in narrow.page.locator("details.action > summary").all():
            summary.click()
        narrow.keep(f"{name}-phone")
        if narrow.overflows():
            wide_ones.append(name)

    assert wide_ones == []
    assert narrow.complaints == []


def test_an_installation_is_followed_live(iron: IronHouse, screen: Screen) -> None:
    """Phases and what the machine prints show up by themselves; markup in it is text, the token is not there."""
    screen.log_in(iron.owner)
    screen.open(f"/my/machines/{iron.arriving}")
    screen.page.locator("#log-state", has_text="live").wait_for()
    iron.print("slipway: <b>reading")
    iron.print(" back</b>\n")
    iron.tell(DeploymentPhase.VERIFY, "Reading back what was written.")
    screen.page.locator(".console li", has_text="slipway: <b>reading back</b>").wait_for()
    screen.page.locator(".track .current", has_text="Read back").wait_for()
    screen.keep("my-machine-live")

    assert screen.page.locator(".console b").count() == 0
    assert "tok-very-secret" not in screen.page.content()
    assert screen.complaints == []


def test_a_failure_is_red_with_its_sentence(api: Api, iron: IronHouse, screen: Screen) -> None:
    """The page sees it by itself, at the phase where it ended."""
    screen.log_in(api.staff(Role.SUPPORT))
    screen.open(f"/admin/machines/{iron.installing}")
    iron.end(DeploymentStatus.FAILED, "The image's checksum is not what it should be.")
    screen.page.locator(".track .failed", has_text="Write the image").wait_for()
    screen.page.locator(".verdict.bad", has_text="checksum").wait_for()
    screen.keep("machine-failed")

    assert screen.complaints == []


def test_a_reload_does_not_take_a_form_away(iron: IronHouse, screen: Screen) -> None:
    """While somebody types into a form, the page leaves it alone, whatever becomes of the machine."""
    screen.log_in(iron.owner)
    screen.open(f"/my/machines/{iron.running}")
    screen.page.get_by_text("Cancel this machine").click()
    field = screen.page.get_by_label("Type atlas to confirm")
    field.fill("atl")
    iron.restless()
    screen.page.locator("h1 + .chip", has_text="switched off").wait_for()

    assert field.input_value() == "atl"
    assert screen.complaints == []
