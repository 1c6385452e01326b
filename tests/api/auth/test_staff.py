"""Staff: roles, the scope that goes with them, and their shorter sessions."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import func, select, update

from api.auth.accounts import Accounts
from api.auth.models import LoginSession, Role
from api.auth.principal import Principal
from api.auth.staff import may, require_role
from tests.fixtures.api import PASSWORD, Api, Customer

ORDER = (Role.CUSTOMER, Role.SUPPORT, Role.OPERATOR, Role.ADMIN)


@pytest.fixture
def staff_api(api: Api) -> Api:
    """Return an API with a route for operators."""
    router = APIRouter()

    @router.get("/v1/admin/probe")
    def probe(person: Annotated[Principal, require_role(Role.OPERATOR)]) -> str:
        return person.email

    @router.post("/v1/admin/probe")
    def change(person: Annotated[Principal, require_role(Role.OPERATOR)]) -> str:
        return person.email

    api.app.include_router(router)
    return api


def _set_role(api: Api, person: Customer, role: Role) -> None:
    with api.runtime.database.transaction() as transaction:
        Accounts(transaction.session).set_role(person.email, role)


def _sessions(api: Api, person: Customer) -> list[LoginSession]:
    with api.runtime.database.transaction() as transaction:
        return list(transaction.session.scalars(select(LoginSession).where(LoginSession.user_id == person.id)))


def _age(api: Api, person: Customer, *, made: timedelta, left: timedelta) -> UUID:
    """Let a session have been opened some time ago, and end after some time."""
    with api.runtime.database.transaction() as transaction:
        changed = update(LoginSession).where(LoginSession.user_id == person.id)
        values = {"created_at": func.now() - made, "expires_at": func.now() + left}
        return transaction.session.execute(changed.values(values).returning(LoginSession.id)).scalar_one()


def _log_in(api: Api, person: Customer) -> httpx.Response:
    return api.client().post("/v1/auth/login", json={"email": person.email, "password": PASSWORD}).raise_for_status()


@pytest.mark.parametrize("role", ORDER)
@pytest.mark.parametrize("needed", ORDER)
def test_each_role_may_what_those_before_it_may(role: Role, needed: Role) -> None:
    """Customer, support, operator, admin."""
    assert may(role, needed) is (ORDER.index(role) >= ORDER.index(needed))


def test_a_route_cannot_ask_for_a_customer() -> None:
    """It would look guarded and let everybody in: refused at import."""
    with pytest.raises(ValueError, match="require"):
        require_role(Role.CUSTOMER)


@pytest.mark.parametrize(
    ("role", "answer"),
    [(Role.SUPPORT, (403, "role_required")), (Role.OPERATOR, (200, None)), (Role.ADMIN, (200, None))],
)
def test_a_route_serves_its_role_and_those_above(staff_api: Api, role: Role, answer: tuple[int, str | None]) -> None:
    """By session and by token alike; the refusal names the role that is needed."""
    person = staff_api.staff(role)
    for client in (person.http, person.token_client("admin")):
        found = client.get("/v1/admin/probe")
        code = found.json()["code"] if found.is_error else None

        assert (found.status_code, code) == answer
        assert found.is_success or "'operator'" in found.json()["detail"]


def test_a_customer_cannot_make_a_token_for_staff(api: Api) -> None:
    """The scope is refused to an account that is not staff's."""
    answer = api.customer().http.post("/v1/tokens", json={"name": "x", "scopes": ["admin"]})

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_who_is_dismissed_is_out_at_once(staff_api: Api) -> None:
    """Sessions and tokens that are already out lose what the role gave them, and keep the rest."""
    person = staff_api.staff(Role.OPERATOR)
    token = person.token_client()
    _set_role(staff_api, person, Role.CUSTOMER)

    assert [client.get("/v1/admin/probe").status_code for client in (person.http, token)] == [403, 403]
    assert [client.get("/v1/me").status_code for client in (person.http, token)] == [200, 200]


def test_a_session_without_its_csrf_token_changes_nothing(staff_api: Api) -> None:
    """The role alone is not enough for more than a read."""
    answer = staff_api.staff(Role.ADMIN).cookie_client().post("/v1/admin/probe")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_token_required")


class TestStaffsSessions:
    def test_the_cookie_is_not_sent_along_from_other_sites(self, api: Api) -> None:
        """Not even with a link: SameSite is strict, where a customer's is lax."""
        person = api.staff(Role.SUPPORT)

        assert "SameSite=strict" in _log_in(api, person).headers["Set-Cookie"]

    def test_it_ends_after_half_an_hour_of_silence(self, api: Api) -> None:
        """A customer's lasts for days."""
        person = api.staff(Role.SUPPORT)
        expires_at = datetime.fromisoformat(_log_in(api, person).json()["expires_at"])

        assert timedelta(minutes=29) < expires_at - datetime.now(UTC) <= timedelta(minutes=30)

    def test_its_use_keeps_it(self, api: Api) -> None:
        """The end moves to half an hour from now."""
        person = api.staff(Role.SUPPORT)
        _age(api, person, made=timedelta(hours=1), left=timedelta(minutes=2))
        person.http.get("/v1/me").raise_for_status()

        assert _sessions(api, person)[0].expires_at > datetime.now(UTC) + timedelta(minutes=25)

    def test_it_ends_after_half_a_day_whatever_its_use(self, api: Api) -> None:
        """The end never moves past twelve hours from the login."""
        person = api.staff(Role.SUPPORT)
        _age(api, person, made=timedelta(hours=11, minutes=55), left=timedelta(minutes=1))
        person.http.get("/v1/me").raise_for_status()

        assert _sessions(api, person)[0].expires_at < datetime.now(UTC) + timedelta(minutes=6)

    def test_others_go_on_when_one_logs_out(self, api: Api) -> None:
        """A command line that logs in for a token does not throw its owner out of the browser."""
        person = api.staff(Role.SUPPORT)
        _log_in(api, person)
        person.http.post("/v1/auth/logout").raise_for_status()

        assert len(_sessions(api, person)) == 1
