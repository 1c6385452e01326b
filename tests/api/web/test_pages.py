"""Each page is there, says what it should, and asks the database a handful of questions."""

import pytest

from api.auth.models import Role
from tests.fixtures.api import Api
from tests.fixtures.busy_house import BusyHouse
from tests.fixtures.pages import OpenBrowser
from tests.fixtures.statements import statements

LISTS = (
    "/admin",
    "/admin/plans",
    "/admin/operations",
    "/admin/audit",
    "/admin/workloads",
    "/admin/nodes",
    "/admin/machines",
    "/admin/platform",
    "/admin/alerts",
    "/admin/drift",
    "/admin/orphans",
    "/admin/policy",
    "/admin/sessions",
)
MOST_STATEMENTS = 7
"""Of a page, the look at the session included."""
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_nothing_says_so(browse: OpenBrowser, path: str) -> None:
    """A new system has every page, for the least of staff."""
    html = browse(Role.SUPPORT).read(path)

    assert "<h1>" in html
    assert 'aria-current="page"' in html


def test_every_page_of_a_busy_house_takes_few_statements(api: Api, browse: OpenBrowser, house: BusyHouse) -> None:
    """However much is shown."""
    browser = browse(Role.ADMIN)
    counted = {}
    for path in house.pages.values():
        with statements(api.runtime.database) as seen:
            browser.read(path)
        counted[path] = len(seen)

    assert {path: number for path, number in counted.items() if number > MOST_STATEMENTS} == {}


def test_more_rows_take_no_more_statements(api: Api, browse: OpenBrowser, house: BusyHouse) -> None:
    """The same with ten orders more: nothing is asked for each row."""
    browser = browse(Role.ADMIN)

    def count() -> dict[str, int]:
        counted = {}
        for path in LISTS:
            with statements(api.runtime.database) as seen:
                browser.read(path)
            counted[path] = len(seen)
        return counted

    before = count()
    for number in range(10):
        house.planned.waiting(house.shop.place_paid(name=f"more-{number}"))

    assert count() == before


@pytest.mark.parametrize("path", ["/admin", "/admin/login", "/admin/nowhere"])
def test_a_page_lets_nothing_foreign_in_and_is_not_kept(browse: OpenBrowser, path: str) -> None:
    """Strict CSP, no inline style or script to need an exception, no cache, no frame."""
    answer = browse(Role.SUPPORT).get(path)

    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "style=" not in answer.text
    assert "<script>" not in answer.text


def test_style_and_script_are_kept_for_ever_under_their_digest(api: Api, browse: OpenBrowser) -> None:
    """Another digest is another address; a stranger may have them, as the login's page needs them."""
    html = browse(Role.SUPPORT).read("/admin")
    url = html.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = api.client().get(url)

    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert api.client().get(url.replace("admin.css", "live.js")).status_code == 404
    assert api.client().get("/admin/static/x/../../errors.py").status_code == 404


class TestErrors:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/admin/nowhere", 404),
            ("/admin/plans/00000000-0000-7000-8000-000000000000", 404),
            ("/admin/operations/not-an-id", 422),
            ("/admin/operations?after=!", 422),
            ("/admin/audit?since=soon", 422),
            ("/admin/audit?before=99999999999999999999", 422),
        ],
    )
    def test_an_error_is_a_page_for_a_browser(self, browse: OpenBrowser, path: str, status: int) -> None:
        """With its status, its code and the request's id, and a way back."""
        answer = browse(Role.ADMIN).get(path)

        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["X-Request-Id"] in answer.text
        assert 'href="/admin"' in answer.text

    def test_it_stays_a_problem_document_for_programs(self, api: Api) -> None:
        """Elsewhere nothing changes, even for who asks for HTML."""
        answer = api.client().get("/v1/nowhere", headers={"Accept": "text/html"})

        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_the_way_back_leads_nowhere_else(self, browse: OpenBrowser) -> None:
        """A link from a foreign page does not put its address on ours."""
        answer = browse(Role.ADMIN).get("/admin/nowhere", headers={"Referer": "https://evil.example/x"})

        assert "evil" not in answer.text

    def test_a_fault_of_ours_is_a_page_without_its_details(self, api: Api, browse: OpenBrowser) -> None:
        """The exception's text stays in the log."""

        def boom() -> None:
            raise RuntimeError("password=hunter2")

        api.app.add_api_route("/admin/boom", boom)
        answer = browse(Role.ADMIN).get("/admin/boom")

        assert answer.status_code == 500
        assert "hunter2" not in answer.text
        assert answer.headers["X-Request-Id"] in answer.text
