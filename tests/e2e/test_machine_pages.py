"""Pages of machines in a real browser. Each picture in ``tests/artefacts`` is there to be looked at."""

from functools import partial

import pytest
from playwright.sync_api import Browser as Chromium

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
    wide_ones = wide.keep_all(
        {**iron.pages, "dashboard-machines": "/admin", "alerts-machines": "/admin/alerts"}, colours
    )

    assert wide.complaints == []
    assert wide_ones == []


def test_every_page_of_machines_fits_a_phone(api: Api, iron: IronHouse, narrow: Screen) -> None:
    """Nobody has to scroll sideways to read or to press."""
    narrow.log_in(api.staff(Role.ADMIN))
    wide_ones = narrow.keep_all(iron.pages, "phone")

    assert wide_ones == []
    assert narrow.complaints == []


def test_a_customers_pages_are_drawn_without_a_complaint(iron: IronHouse, wide: Screen, colours: str) -> None:
    """The list, and machines that run, are being installed, or in rescue."""
    wide.log_in(iron.owner)
    wide_ones = wide.keep_all(iron.own_pages, colours)

    assert wide.complaints == []
    assert wide_ones == []


def test_a_customers_pages_fit_a_phone(iron: IronHouse, narrow: Screen) -> None:
    """With every form folded out, too."""
    narrow.log_in(iron.owner)
    wide_ones = narrow.keep_all(iron.own_pages, "phone", partial(_fold_out, narrow))

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
    field = screen.page.get_by_label("Type atlas to give it back")
    field.fill("atl")
    iron.restless()
    screen.page.locator("h1 + .chip", has_text="switched off").wait_for()

    assert field.input_value() == "atl"
    assert screen.complaints == []


@pytest.mark.usefixtures("iron")
def test_a_form_says_what_is_wrong_where_it_is_wrong(api: Api, wide: Screen, colours: str) -> None:
    """Beside each field; what was typed stays."""
    wide.log_in(api.staff(Role.OPERATOR))
    wide.open("/admin/machines")
    wide.page.get_by_role("link", name="Enrol a machine").click()
    wide.page.get_by_label("Name").fill("Rack 9")
    wide.page.get_by_label("Serial number").fill("SN-9001")
    wide.page.get_by_role("button", name="Enrol it").click()
    wide.page.get_by_role("alert").wait_for()
    wide.keep(f"machine-form-wrong-{colours}")

    assert wide.page.get_by_label("Serial number").input_value() == "SN-9001"
    assert wide.page.locator("[aria-invalid]").first.get_attribute("id") == "name"
    # The browser itself notes the answer's status, 422, as an error of the page.
    assert [complaint for complaint in wide.complaints if "422" not in complaint] == []


def test_a_machine_is_brought_back_from_quarantine_by_hand(api: Api, iron: IronHouse, screen: Screen) -> None:
    """With a reason; the page then follows the inspection."""
    screen.log_in(api.staff(Role.OPERATOR))
    screen.open(f"/admin/machines/{iron.quarantined}")
    screen.page.get_by_text("Release", exact=True).click()
    screen.page.get_by_label("Why is it well again?").fill("The right machine is in its place now.")
    screen.keep("machine-before-release")
    screen.page.get_by_role("button", name="Release it").click()
    screen.page.get_by_role("status").filter(has_text="leaves quarantine").wait_for()
    screen.keep("machine-released")

    assert screen.page.locator("h1 + .chip").inner_text() == "being inspected"
    assert screen.complaints == []


def test_a_customer_installs_a_machine_again(iron: IronHouse, narrow: Screen) -> None:
    """On a phone: image, layout, the name to say that it is meant."""
    narrow.log_in(iron.owner)
    narrow.open(f"/my/machines/{iron.running}")
    narrow.page.get_by_text("Install it again").click()
    narrow.page.get_by_label("Image").select_option("ubuntu-24.04-metal")
    narrow.page.get_by_label("one disk carries the system").check()
    narrow.page.get_by_label("Type atlas to erase it").fill("atlas")
    narrow.keep("my-machine-reinstall-phone")
    narrow.page.get_by_role("button", name="Erase it and install again").click()
    narrow.page.get_by_role("status").filter(has_text="being installed again").wait_for()
    narrow.keep("my-machine-reinstalling-phone")

    assert narrow.complaints == []


def test_a_machine_is_followed_and_switched_without_a_script(iron: IronHouse, chromium: Chromium, api: Api) -> None:
    """With JavaScript off: the phases, the console, the buttons."""
    context = chromium.new_context(java_script_enabled=False)
    screen = Screen(context.new_page(), api.url)
    screen.log_in(iron.owner)
    screen.open(f"/my/machines/{iron.arriving}")
    shown = screen.page.locator(".console").inner_text(), screen.page.locator(".track .current").inner_text()
    screen.open(f"/my/machines/{iron.running}")
    screen.page.get_by_text("Reset", exact=True).click()
    screen.page.get_by_role("button", name="Cut the power and start again").click()
    said = screen.page.get_by_role("status").first.inner_text()
    context.close()

    assert "slipway: writing debian-12" in shown[0]
    assert "Write the image" in shown[1]
    assert "switched off and on again" in said


def _fold_out(screen: Screen) -> None:
    for summary in screen.page.locator("details.action > summary").all():
        summary.click()
