"""Logging in and out by form."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from api.auth.models import LoginSession, Role
from tests.fixtures.api import PASSWORD, Api
from tests.fixtures.pages import Browser, OpenBrowser, forms_of


@pytest.fixture
def visitor(api: Api) -> Browser:
    """Return a browser at which a member of support is about to log in."""
    return Browser(api.staff(Role.SUPPORT), api.client())


def _log_in(browser: Browser, to: str = "", **fields: str) -> tuple[int, str | None]:
    page = f"/admin/login?next={to}" if to else "/admin/login"
    given = {"email": browser.person.email, "password": PASSWORD, **fields}
    answer = browser.submit(page, "/admin/login", **given)
    return answer.status_code, answer.headers.get("Location")


def _sessions(api: Api, browser: Browser) -> int:
    with api.runtime.database.transaction() as transaction:
        query = select(LoginSession).where(LoginSession.user_id == browser.person.id)
        return len(transaction.session.scalars(query).all())


def test_a_page_asked_for_is_shown_after_the_login(api: Api, visitor: Browser) -> None:
    """A stranger's link is not lost."""
    asked = api.client().get("/admin/workloads?q=craft&status=running").headers["Location"]

    assert asked == "/admin/login?next=%2Fadmin%2Fworkloads%3Fq%3Dcraft%26status%3Drunning"
    assert _log_in(visitor, asked.partition("next=")[2]) == (303, "/admin/workloads?q=craft&status=running")


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "/admin//evil",
        "/admin\\evil",
        "/v1/me",
        "/adminis",
        "/admin%0d%0aX: y",
    ],
)
def test_nobody_is_sent_elsewhere_after_the_login(visitor: Browser, to: str) -> None:
    """What is not a page of ours gives way to the dashboard, or stays on this host."""
    status, where = _log_in(visitor, next=to)

    assert status == 303
    assert where in {"/admin", "/admin//evil"}


def test_the_cookie_is_strict_and_out_of_scripts_reach(visitor: Browser) -> None:
    """It is sent with no request that another site caused, not even a link."""
    answer = visitor.submit("/admin/login", "/admin/login", email=visitor.person.email, password=PASSWORD)
    cookie = next(value for value in answer.headers.get_list("Set-Cookie") if value.startswith("slipway="))

    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


def test_a_link_from_another_site_asks_again_from_ours(browse: OpenBrowser, api: Api) -> None:
    """The strict cookie stays away the first time; our own page asks a second time, and then it comes along."""
    browser = browse(Role.SUPPORT)
    without = api.client().get("/admin/nodes", headers={"Sec-Fetch-Site": "cross-site"})

    assert without.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in without.text
    assert 'href="/admin/nodes"' in without.text
    assert browser.get("/admin/nodes", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"password": "wrong wrong wrong"}, 401, "do not belong to an account"),
        ({"email": "nobody@example.com"}, 401, "do not belong to an account"),
        ({"email": "no address"}, 422, "Fill in"),
        ({"password": ""}, 401, "do not belong to an account"),
    ],
)
def test_a_refusal_is_said_on_the_form(visitor: Browser, fields: dict[str, str], status: int, said: str) -> None:
    """What was typed as the address is still there; the password is not."""
    given = {"email": visitor.person.email, "password": PASSWORD, **fields}
    answer = visitor.submit("/admin/login", "/admin/login", **given)

    assert answer.status_code == status
    assert said in answer.text
    assert PASSWORD not in answer.text
    assert visitor.get("/admin").status_code == 303


def test_a_customer_is_told_that_this_is_for_staff(api: Api) -> None:
    """Only with the right password, and no session is opened."""
    browser = Browser(api.customer(), api.client())
    answer = browser.submit("/admin/login", "/admin/login", email=browser.person.email, password=PASSWORD)

    assert answer.status_code == 403
    assert "for staff" in answer.text
    assert _sessions(api, browser) == 1


def test_the_form_needs_its_own_token(visitor: Browser) -> None:
    """Nobody logs somebody else's browser in to an account of theirs."""
    fields = {"email": visitor.person.email, "password": PASSWORD}
    without = visitor.http.post("/admin/login", data=fields)
    forged = visitor.http.post("/admin/login", data={**fields, "csrf_token": "made-up"})

    assert [without.status_code, forged.status_code] == [403, 403]


def test_a_form_in_another_format_is_refused(visitor: Browser) -> None:
    """Not JSON, and not a text that only looks like a form."""
    answers = [visitor.http.post("/admin/login", json={}), visitor.http.post("/admin/login", content=b"a=b")]

    assert [answer.status_code for answer in answers] == [422, 422]


def test_logging_out_ends_all_sessions(api: Api, browse: OpenBrowser) -> None:
    """One left open on another machine is closed too; the page says so."""
    browser = browse(Role.OPERATOR)
    assert _sessions(api, browser) >= 1
    answer = browser.submit("/admin", "/admin/logout")

    assert answer.headers["Location"] == "/admin/login?out=1"
    assert _sessions(api, browser) == 0
    assert "all your sessions have ended" in browser.read("/admin/login?out=1")
    assert browser.get("/admin").status_code == 303


def test_sessions_are_listed_and_one_can_be_ended(api: Api, browse: OpenBrowser) -> None:
    """The one in use is marked and has no button."""
    browser = browse(Role.SUPPORT)
    before = _sessions(api, browser)
    actions = [action for action, _ in forms_of(browser.read("/admin/sessions")) if action.endswith("/end")]
    browser.submit("/admin/sessions", actions[0])

    assert len(actions) == before - 1
    assert _sessions(api, browser) == before - 1
    assert "this one" in browser.read("/admin/sessions")


def test_anothers_session_cannot_be_ended(api: Api, browse: OpenBrowser) -> None:
    """Its id leads nowhere."""
    browser, other = browse(Role.ADMIN), browse(Role.SUPPORT)
    with api.runtime.database.transaction() as transaction:
        theirs = transaction.session.scalars(
            select(LoginSession.id).where(LoginSession.user_id == other.person.id)
        ).all()
    for session_id in theirs:
        browser.post(f"/admin/sessions/{session_id}/end")

    assert other.get("/admin").status_code == 200


def test_a_page_that_refreshes_itself_does_not_keep_a_session(api: Api, browse: OpenBrowser) -> None:
    """Nobody is there, although the page asks every few seconds; a page that somebody opens moves the end."""
    browser = browse(Role.SUPPORT)
    soon = update(LoginSession).where(LoginSession.user_id == browser.person.id)

    def end() -> datetime:
        with api.runtime.database.transaction() as transaction:
            return max(transaction.session.scalars(select(LoginSession.expires_at)))

    with api.runtime.database.transaction() as transaction:
        transaction.session.execute(soon.values(expires_at=func.now() + timedelta(minutes=5)))
    before = end()
    browser.get("/admin", headers={"X-Refresh": "1"})
    refreshed = end()
    browser.get("/admin")

    assert refreshed == before
    assert end() > before + timedelta(minutes=20)
