"""What others write is text on our pages, never markup; and nobody puts words of theirs on them."""

import base64
import json

from sqlalchemy import update

from api.alerts.models import Alert
from api.auth.models import Role
from api.drift.models import OrphanSighting
from api.operations.models import Operation
from api.plans.models import PlanStepRow
from api.workloads.models import Workload
from tests.fixtures.busy_house import BusyHouse
from tests.fixtures.pages import Browser, OpenBrowser

EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}"


def _poison(house: BusyHouse) -> None:
    """Write markup wherever a customer, a node or somebody with the database could."""
    values = {"path": EVIL, "kind": "changed", "before": EVIL, "after": {EVIL: EVIL}}
    statements = [
        update(Workload).values(name=Workload.name + EVIL, attention=EVIL),
        update(Operation).values(reason=EVIL, error_detail=EVIL, error_code=EVIL),
        update(Alert).values(message=EVIL),
        update(OrphanSighting).values(name=EVIL, tags=[EVIL]),
        update(PlanStepRow).values(name=EVIL, changes=[values], inputs={EVIL: EVIL}),
    ]
    with house.shop.database.transaction() as transaction:
        for statement in statements:
            transaction.session.execute(statement)
    house.log(EVIL)
    house.log(EVIL, kind='"><u>')


def test_no_page_takes_text_for_markup(browse: OpenBrowser, house: BusyHouse) -> None:
    """Names, reasons, log lines, tags, properties: all are escaped, and no template is run in them."""
    _poison(house)
    browser = browse(Role.ADMIN)
    pages = {path: browser.read(path) for path in house.pages.values()}

    broken = {
        path: bad for path, html in pages.items() for bad in ("<img src=x", "<script>alert", '"><u>') if bad in html
    }
    assert broken == {}
    assert "&lt;img src=x" in pages["/admin/workloads"]
    assert "{{7*7}}" in pages["/admin/workloads"]


def test_what_is_searched_for_is_shown_as_it_was_typed(browse: OpenBrowser) -> None:
    """A link with markup in it puts none on the page, on whichever page and field."""
    browser = browse(Role.SUPPORT)
    for path in ("/admin/workloads?q=", "/admin/audit?action=", "/admin/operations?node=", "/admin/login?next="):
        html = browser.get(path + "%3Cscript%3Ealert(1)%3C/script%3E%22%3E").text

        assert "<script>alert" not in html, path


def test_a_message_that_we_did_not_sign_is_not_shown(browse: OpenBrowser) -> None:
    """Whoever can plant a cookie cannot put words on our pages: not unsigned, not signed for another session."""
    browser, other = browse(Role.SUPPORT), browse(Role.SUPPORT)
    content = base64.urlsafe_b64encode(json.dumps({"tone": "good", "text": "Call 555"}).encode()).decode()

    def shown(value: str, at: Browser) -> bool:
        at.http.cookies.set("slipway-flash", value, path="/admin")
        return "Call 555" in at.read("/admin")

    assert [shown(f"{content}.{signature}", browser) for signature in ("", "0" * 64, "x")] == [False] * 3
    assert not shown("no content", other)
    assert not shown(".", other)
