"""Staff's pages in a real browser. Each picture in ``tests/artefacts`` is there to be looked at."""

import pytest
from playwright.sync_api import Browser as Chromium
from sqlalchemy import update

from api.auth.models import Role
from api.operations.models import Operation, OperationStatus
from api.plans.models import PlanStatus
from api.workloads.models import Workload
from tests.fixtures.api import Api
from tests.fixtures.busy_house import BusyHouse
from tests.fixtures.chromium import Screen

pytestmark = pytest.mark.e2e


def test_every_page_is_drawn_without_a_complaint(api: Api, house: BusyHouse, wide: Screen, colours: str) -> None:
    """No blocked style or script (the CSP is strict), no exception, no missing file; nothing runs off the side."""
    wide.log_in(api.staff(Role.ADMIN))
    wide_ones = wide.keep_all(house.pages, colours)

    assert wide.complaints == []
    assert wide_ones == []


def test_every_page_fits_a_phone(api: Api, house: BusyHouse, narrow: Screen) -> None:
    """Nobody has to scroll sideways to read or to press."""
    narrow.log_in(api.staff(Role.ADMIN))
    wide_ones = narrow.keep_all(house.pages, "phone")

    assert wide_ones == []
    assert narrow.complaints == []


def test_a_plan_is_approved_by_hand(api: Api, house: BusyHouse, screen: Screen) -> None:
    """From the dashboard to the plan, a reason, the button; then the page says so and offers no second word."""
    screen.log_in(api.staff(Role.OPERATOR))
    screen.page.get_by_role("link", name="skyblock").click()
    screen.page.get_by_label("Why is this right?").fill("The owner called, and there is a backup.")
    screen.keep("plan-before-approval")
    screen.page.get_by_role("button", name="Approve this plan").click()
    screen.page.get_by_role("status").filter(has_text="on its way").wait_for()
    screen.keep("plan-approved")

    assert screen.page.get_by_role("button", name="Approve this plan").count() == 0
    assert house.planned.plan(house.plan).status is PlanStatus.APPROVED
    assert screen.complaints == []


def test_a_plan_that_has_moved_leads_to_the_fresh_one(api: Api, house: BusyHouse, screen: Screen) -> None:
    """What was approved is not there any more: a page says so, with a way on."""
    screen.log_in(api.staff(Role.OPERATOR))
    screen.open(f"/admin/plans/{house.plan}")
    moved = update(Workload).where(Workload.name == "skyblock").values(generation=9)
    house.shop.change(lambda session: session.execute(moved))
    screen.page.get_by_label("Why is this right?").fill("looks right")
    screen.page.get_by_role("button", name="Approve this plan").click()
    screen.page.get_by_role("heading", name="The plan no longer fits").wait_for()
    screen.keep("plan-moved")
    screen.page.get_by_role("link", name="Look at the fresh plan").click()
    screen.page.get_by_role("heading", name="Apply skyblock").wait_for()

    assert screen.page.url.endswith(f"/admin/operations/{house.planned.operation_of(house.plan).id}")
    # The browser itself notes the answer's status, 409, as an error of the page.
    assert [complaint for complaint in screen.complaints if "409" not in complaint] == []


def test_the_log_of_a_running_operation_is_live(api: Api, house: BusyHouse, screen: Screen) -> None:
    """A line shows up as it is written, markup in it is text, and the end shows what became of it."""
    screen.log_in(api.staff(Role.SUPPORT))
    screen.open(f"/admin/operations/{house.running}")
    screen.page.locator("#log-state", has_text="live").wait_for()
    house.log("Created <b>everything</b> in 12 s.")
    line = screen.page.locator(".log li", has_text="Created <b>everything</b> in 12 s.")
    line.wait_for()
    screen.keep("operation-live")
    ended = update(Operation).where(Operation.id == house.running).values(status=OperationStatus.SUCCEEDED)
    house.shop.change(lambda session: session.execute(ended))
    screen.page.locator("h1 + .chip", has_text="succeeded").wait_for()

    assert screen.page.locator(".log b").count() == 0
    assert screen.complaints == []


def test_the_queue_refreshes_itself(api: Api, house: BusyHouse, screen: Screen) -> None:
    """A new operation shows up without a reload, and the filter stays as it was chosen."""
    screen.log_in(api.staff(Role.SUPPORT))
    screen.open("/admin/operations?status=queued")
    house.shop.place_paid(name="newcomer")
    screen.page.get_by_role("link", name="newcomer").wait_for()

    assert screen.page.get_by_label("Status").input_value() == "queued"
    assert screen.complaints == []


def test_what_others_write_runs_no_script(api: Api, house: BusyHouse, wide: Screen) -> None:
    """Names and reasons with markup in them are drawn as text, on paper-white and on black alike."""
    evil = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
    with house.shop.database.transaction() as transaction:
        transaction.session.execute(update(Workload).values(name=Workload.name + evil, attention=evil))
        transaction.session.execute(update(Operation).values(reason=evil, error_detail=evil))
    wide.log_in(api.staff(Role.ADMIN))
    owned = []
    for path in house.pages.values():
        wide.open(path)
        owned += [path] if wide.page.title() == "owned" or wide.page.locator("main img").count() else []

    assert owned == []
    assert wide.complaints == []


def test_everything_is_reached_by_keyboard(api: Api, house: BusyHouse, screen: Screen) -> None:
    """The first stop skips the menu; what has the focus is seen to have it."""
    screen.log_in(api.staff(Role.OPERATOR))
    screen.open(f"/admin/plans/{house.plan}")
    screen.page.keyboard.press("Tab")
    skip = screen.page.evaluate("document.activeElement.textContent")
    screen.page.keyboard.press("Enter")
    inside = screen.page.evaluate("document.activeElement.id")
    stops = []
    for _ in range(12):
        screen.page.keyboard.press("Tab")
        stops.append(screen.page.evaluate("document.activeElement.textContent || document.activeElement.name").strip())
    outline = screen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")

    assert (skip, inside) == ("Skip to the content", "content")
    assert {"reason", "Approve this plan", "Reject"} <= set(stops)
    assert outline != "none"


def test_pages_work_without_a_script(api: Api, house: BusyHouse, chromium: Chromium) -> None:
    """With JavaScript off: log in, read the log, approve."""
    context = chromium.new_context(java_script_enabled=False)
    screen = Screen(context.new_page(), api.url)
    screen.log_in(api.staff(Role.OPERATOR))
    screen.open(f"/admin/operations/{house.running}")
    shown = screen.page.locator(".log").inner_text()
    screen.open(f"/admin/plans/{house.plan}")
    screen.page.get_by_label("Why is this right?").fill("fine by me")
    screen.page.get_by_role("button", name="Approve this plan").click()
    said = screen.page.get_by_role("status").inner_text()
    context.close()

    assert "Creating virtual machine craft." in shown
    assert "on its way" in said


def test_the_login_and_an_error_are_pages_too(api: Api, wide: Screen, colours: str) -> None:
    """Kept as pictures; a wrong password is said on the form."""
    wide.open("/admin/login")
    wide.page.get_by_label("Email").fill("ada@example.com")
    wide.page.get_by_label("Password").fill("wrong wrong wrong")
    wide.page.get_by_role("button", name="Log in").click()
    wide.page.get_by_role("alert").wait_for()
    wide.keep(f"login-{colours}")
    wide.log_in(api.staff(Role.SUPPORT))
    wide.open("/admin/nowhere")
    wide.keep(f"error-{colours}")

    assert wide.page.get_by_role("heading", name="Not found").is_visible()


def test_a_link_from_another_site_finds_who_is_logged_in(api: Api, screen: Screen) -> None:
    """The strict cookie is not sent with it; our own page asks again, and nobody has to log in twice."""
    screen.log_in(api.staff(Role.SUPPORT))
    screen.page.goto("about:blank")
    screen.page.set_content(f'<a href="{api.url}/admin/nodes">a link in a mail</a>')
    screen.page.get_by_role("link").click()
    screen.page.get_by_role("heading", name="Nodes", exact=True).wait_for()

    assert screen.complaints == []
