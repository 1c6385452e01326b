"""A sweep over customers' pages: each is its owner's alone, and nobody else's, staff's neither."""

from collections.abc import Iterable

import httpx
import pytest
from fastapi.routing import APIRoute

from api.auth.models import Role
from api.web.areas import CUSTOMERS
from api.web.routes import PAGES as PAGE_ROUTERS
from api.web.routes import router
from tests.fixtures.api import PASSWORD, Api, Customer
from tests.fixtures.iron_house import IronHouse
from tests.fixtures.pages import Browser, OpenBrowser

PUBLIC = {"/my/login", "/my/static/{digest}/{name}"}
NO_SUCH_ID = "00000000-0000-7000-8000-000000000000"
PAGES = [
    (method, route.path)
    for part in (router, *PAGE_ROUTERS)
    for route in part.routes
    if isinstance(route, APIRoute) and CUSTOMERS.holds(route.path) and route.path not in PUBLIC
    for method in sorted(route.methods or set())
]
FORMS = [page for page in PAGES if page[0] == "POST"]
OF_A_MACHINE = [page for page in PAGES if "{workload_id}" in page[1]]


def _send(client: httpx.Client, method: str, path: str, ids: Iterable[str] = (), **fields: str) -> httpx.Response:
    workload, deployment = [*ids, NO_SUCH_ID, NO_SUCH_ID][:2]
    path = path.replace("{workload_id}", workload).replace("{deployment_id}", deployment)
    assert "{" not in path, f"{path}: tell this test of the parameter"
    return client.request(method, path, data={"sent": "yes", **fields} if method == "POST" else None)


def _at_home(api: Api, customer: Customer) -> Browser:
    """Return a browser at which a customer has logged in by the form."""
    browser = Browser(customer, api.client(), home="/my")
    answer = browser.submit("/my/login", "/my/login", email=customer.email, password=PASSWORD)
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/my"), answer.text
    return browser


def test_strangers_are_sent_to_the_customers_login(api: Api) -> None:
    """With no cookie, and with a made-up one; the page that was asked for is not lost."""
    strangers = [api.client(), api.client()]
    strangers[1].cookies.set("slipway", "made-up")
    found = {
        page: {_send(client, *page).headers.get("Location", "").partition("?")[0] for client in strangers}
        for page in PAGES
    }

    assert {page: where for page, where in found.items() if where != {"/my/login"}} == {}
    assert strangers[0].get(f"/my/machines/{NO_SUCH_ID}").headers["Location"].endswith(f"%2Fmachines%2F{NO_SUCH_ID}")


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OPERATOR, Role.ADMIN])
def test_staff_are_refused(browse: OpenBrowser, iron: IronHouse, role: Role) -> None:
    """One account is for one half: an administrator does not reset a customer's machine by the customer's page."""
    browser = browse(role)
    ids, token = (str(iron.running), str(iron.open_deployment)), browser.token()
    found = {page: _send(browser.http, *page, ids, csrf_token=token) for page in PAGES}

    assert {page for page, answer in found.items() if answer.status_code != 403} == set()
    assert all("role_required" in answer.text for answer in found.values())


def test_staff_do_not_log_in_here(api: Api) -> None:
    """Told so with the right password only; no session is opened."""
    browser = Browser(api.staff(Role.ADMIN), api.client(), home="/my")
    fields = {"email": browser.person.email, "password": PASSWORD}
    answer = browser.submit("/my/login", "/my/login", **fields)
    wrong = browser.submit("/my/login", "/my/login", **(fields | {"password": "wrong wrong wrong"}))

    assert (answer.status_code, wrong.status_code) == (403, 401)
    assert "for customers" in answer.text
    assert "for customers." not in wrong.text
    assert browser.get("/my").status_code == 303


def test_a_customer_is_sent_on_to_what_was_asked_for_here_and_nowhere_else(api: Api, iron: IronHouse) -> None:
    """A page of staff's, or of another host's, gives way to the list."""
    asked = [f"/my/machines/{iron.running}", "/admin", "https://evil.example", "//evil.example"]
    found = []
    for target in asked:
        browser = Browser(iron.owner, api.client(), home="/my")
        fields = {"email": iron.owner.email, "password": PASSWORD, "next": target}
        found.append(browser.submit("/my/login", "/my/login", **fields).headers["Location"])

    assert found == [f"/my/machines/{iron.running}", "/my", "/my", "/my"]


def test_a_token_opens_no_page(iron: IronHouse) -> None:
    """Pages are for people: only the session's cookie counts."""
    assert iron.owner.token_client().get("/my").headers["Location"] == "/my/login"


def test_anothers_machine_does_not_exist(api: Api, iron: IronHouse) -> None:
    """For each page and form: the same answer as for one that is not there, and nothing has changed."""
    intruder = _at_home(api, api.customer())
    ids, token = (str(iron.running), str(iron.open_deployment)), intruder.token()
    before = iron.traces()
    found = {page: _send(intruder.http, *page, ids, csrf_token=token, confirmation="atlas") for page in OF_A_MACHINE}

    assert {page: answer.status_code for page, answer in found.items() if answer.status_code != 404} == {}
    assert iron.traces() == before
    assert "atlas" not in intruder.read("/my")


def test_what_a_machine_printed_for_whoever_had_it_before_is_not_shown(api: Api, iron: IronHouse) -> None:
    """A deployment of the customer's own machine that was not for this workload is not there."""
    owner = _at_home(api, iron.owner)
    foreign = f"/my/machines/{iron.running}/deployments/{iron.open_deployment}/console"

    assert owner.get(foreign).status_code == 404
    assert "Wipe" not in owner.read(f"/my/machines/{iron.running}").replace("wiped", "")


def test_a_form_without_its_token_changes_nothing(api: Api, iron: IronHouse) -> None:
    """A lax cookie comes along with a link from another site, but no form of ours does."""
    owner = _at_home(api, iron.owner)
    foreign = _at_home(api, api.customer()).token()
    ids, before = (str(iron.running),), iron.traces()
    found = {
        (page, str(fields)): _send(owner.http, *page, ids, **fields)
        for page in FORMS
        for fields in ({}, {"csrf_token": "made-up"}, {"csrf_token": foreign})
    }

    assert {key: answer.status_code for key, answer in found.items() if answer.status_code != 403} == {}
    assert iron.traces() == before


def test_a_suspended_customer_is_out(api: Api, iron: IronHouse) -> None:
    """At once, with the session that is open; the page says whom to ask."""
    owner = _at_home(api, iron.owner)
    api.suspend(iron.owner)
    answer = owner.get("/my")

    assert answer.status_code == 403
    assert "ask our support" in answer.text


def test_the_menu_and_the_ways_back_are_of_this_half(api: Api, iron: IronHouse) -> None:
    """No page of a customer's, not even one of an error, names an address of staff's."""
    owner = _at_home(api, iron.owner)
    pages = [owner.get(path).text for path in (*iron.own_pages.values(), "/my/nowhere", f"/my/machines/{NO_SUCH_ID}")]

    assert [html for html in pages if '"/admin' in html] == []
    assert '"/admin' not in api.client().get("/my/login").text
    assert all('action="/my/logout"' in html for html in pages if "There is no such page" not in html)


def test_logging_out_ends_the_session(api: Api, iron: IronHouse) -> None:
    """And says so."""
    owner = _at_home(api, iron.owner)
    answer = owner.submit("/my", "/my/logout")

    assert answer.headers["Location"] == "/my/login?out=1"
    assert owner.get("/my").status_code == 303
