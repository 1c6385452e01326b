"""A sweep over all of staff's pages: a page added later fails here until it says whom it is for.

Customers' own are swept in ``test_my_roles``.
"""

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.auth.models import Role
from api.auth.staff import is_staff, may
from api.web.areas import CUSTOMERS, STAFF, area_of
from api.web.routes import PAGES as PAGE_ROUTERS
from api.web.routes import router
from api.web.visitor import VisitorCheck
from tests.fixtures.api import Api
from tests.fixtures.busy_house import BusyHouse
from tests.fixtures.pages import OpenBrowser, forms_of

PUBLIC = {
    ("GET", "/admin/login"),
    ("POST", "/admin/login"),
    ("GET", "/admin/static/{digest}/{name}"),
    ("GET", "/my/login"),
    ("POST", "/my/login"),
    ("GET", "/my/static/{digest}/{name}"),
}
"""Pages that serve anybody. Think twice before adding one."""
THINGS = (
    "operation",
    "plan",
    "workload",
    "node",
    "finding",
    "orphan",
    "alert",
    "session",
    "run",
    "machine",
    "deployment",
)
NO_SUCH_ID = "00000000-0000-7000-8000-000000000000"


def _routes() -> list[APIRoute]:
    return [route for part in (router, *PAGE_ROUTERS) for route in part.routes if isinstance(route, APIRoute)]


def _needed(dependant: Dependant) -> Role | None:
    found = [part.call.needed for part in dependant.dependencies if isinstance(part.call, VisitorCheck)]
    inner = [needed for part in dependant.dependencies if (needed := _needed(part)) is not None]
    return max([*found, *inner], key=list(Role).index, default=None)


PAGES = [
    (method, route.path, _needed(route.dependant)) for route in _routes() for method in sorted(route.methods or set())
]
GUARDED = [page for page in PAGES if page[:2] not in PUBLIC and STAFF.holds(page[1])]
FORMS = [page for page in GUARDED if page[0] == "POST"]


def _send(client: httpx.Client, method: str, path: str, **fields: str) -> httpx.Response:
    path = path.replace("{stack}", "lab-network")
    for name in THINGS:
        path = path.replace(f"{{{name}_id}}", NO_SUCH_ID)
    assert "{" not in path, f"{path}: tell this test of the parameter"
    return client.request(method, path, data={"sent": "yes", **fields} if method == "POST" else None)


def test_every_page_but_the_public_ones_says_whom_it_is_for() -> None:
    """A page without a role serves anybody."""
    assert {page[:2] for page in PAGES if page[2] is None} == PUBLIC


def test_every_page_is_of_one_half_and_for_the_people_of_that_half() -> None:
    """What lies under ``/admin`` is for staff, what lies under ``/my`` for customers; there is nothing else."""
    wrong = [
        path
        for _, path, needed in PAGES
        if needed is not None and (STAFF if is_staff(needed) else CUSTOMERS) is not area_of(path)
    ]
    assert wrong == []
    assert {area_of(path) for _, path, _ in PAGES} == {STAFF, CUSTOMERS}


def test_reading_is_for_support_and_changing_is_not() -> None:
    """Support sees everything; what it may change is its own sessions."""
    own = {"/admin/logout", "/admin/sessions/{session_id}/end"}

    forms_of_their_own = {"/admin/machines/new", "/admin/machines/{machine_id}/edit"}

    assert {path for method, path, needed in GUARDED if method == "GET" and needed is not Role.SUPPORT} == (
        forms_of_their_own
    )
    assert {path for _, path, needed in FORMS if needed is Role.SUPPORT} == own
    admins = {path for _, path, needed in FORMS if needed is Role.ADMIN}
    assert {path for path in admins if not path.startswith("/admin/platform/")} == {"/admin/policy"}


def test_strangers_are_sent_to_the_login(api: Api) -> None:
    """With no cookie, and with a made-up one; a stream ends instead."""
    strangers = [api.client(), api.client()]
    strangers[1].cookies.set("slipway", "made-up")
    found = {}
    for method, path, _ in GUARDED:
        answers = [_send(client, method, path) for client in strangers]
        found[method, path] = {answer.headers.get("Location", "").partition("?")[0] for answer in answers}

    assert {page: where for page, where in found.items() if where != {"/admin/login"}} == {}


def test_a_token_opens_no_page(api: Api) -> None:
    """Pages are for people: only the session's cookie counts."""
    client = api.staff(Role.ADMIN).token_client("admin")

    assert client.get("/admin").headers["Location"] == "/admin/login"


def test_customers_are_refused(api: Api) -> None:
    """Logged in or not, these pages are not for them."""
    customer = api.customer()
    csrf = customer.http.headers["X-CSRF-Token"]
    found = {
        (method, path): _send(customer.http, method, path, csrf_token=csrf).status_code for method, path, _ in GUARDED
    }

    assert {page: status for page, status in found.items() if status != 403} == {}


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OPERATOR])
def test_what_is_above_a_role_is_refused_when_it_is_posted(browse: OpenBrowser, role: Role) -> None:
    """Whatever the page shows: the server decides."""
    browser = browse(role)
    token = browser.token()
    wrong = {}
    for method, path, needed in FORMS:
        if path == "/admin/logout" or needed is None:
            continue
        answer = _send(browser.http, method, path, csrf_token=token)
        refused = answer.status_code == 403 and "role_required" in answer.text
        if refused is may(role, needed):
            wrong[path] = answer.status_code
    assert wrong == {}


def test_a_form_without_its_token_changes_nothing(browse: OpenBrowser) -> None:
    """Nor with the token of somebody else's session."""
    browser, other = browse(Role.ADMIN), browse(Role.ADMIN)
    found = {}
    for method, path, _ in FORMS:
        for fields in ({}, {"csrf_token": "made-up"}, {"csrf_token": other.token()}):
            answer = _send(browser.http, method, path, **fields)
            found[path, str(fields)[:25]] = (answer.status_code, "csrf_token_required" in answer.text)

    assert {page: answer for page, answer in found.items() if answer != (403, True)} == {}


def test_a_suspended_member_of_staff_is_out(api: Api, browse: OpenBrowser) -> None:
    """At once, with the session that is open."""
    browser = browse(Role.ADMIN)
    api.suspend(browser.person)

    assert browser.get("/admin").status_code == 403


def test_support_is_offered_no_button_that_it_may_not_press(browse: OpenBrowser, house: BusyHouse) -> None:
    """The forms it sees are the filters and its own log-out; an operator sees those of each page."""
    support, operator = browse(Role.SUPPORT), browse(Role.OPERATOR)
    offered = {
        path: {action for action, fields in forms_of(support.read(path)) if "csrf_token" in fields} - {"/admin/logout"}
        for path in house.pages.values()
        if path != "/admin/sessions"  # one's own
    }
    plan = {action for action, _ in forms_of(operator.read(f"/admin/plans/{house.plan}"))}

    assert {path: actions for path, actions in offered.items() if actions} == {}
    assert {f"/admin/plans/{house.plan}/approve", f"/admin/plans/{house.plan}/reject"} <= plan
    assert "An operator has to decide" in support.read(f"/admin/plans/{house.plan}")
