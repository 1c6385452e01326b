"""Registering, logging in and out, changing the password: through HTTP, on real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update

from api.auth.models import LoginSession, User
from api.auth.passwords import Passwords
from api.db.session import Database
from api.settings import Settings
from tests.fixtures.api import PASSWORD, Api, Customer, run_api

NEW_PASSWORD = "a much better horse battery"


def _log_in(api: Api, email: str, password: str = PASSWORD) -> httpx.Response:
    return api.client().post("/v1/auth/login", json={"email": email, "password": password})


def _stored(api: Api, email: str) -> User:
    with api.runtime.database.transaction() as transaction:
        return transaction.session.scalars(select(User).where(User.email == email)).one()


class TestRegistering:
    def test_an_account_has_the_normalised_address_and_no_password_in_clear(self, api: Api) -> None:
        """The answer describes the account; the row holds an argon2id hash."""
        body = {"email": "Ada@Example.com", "password": PASSWORD}
        answer = api.client().post("/v1/auth/register", json=body)

        account = answer.json()
        assert answer.status_code == 201
        assert (account["email"], account["role"]) == ("ada@example.com", "customer")
        assert set(account) == {"id", "email", "role", "created_at"}
        assert _stored(api, "ada@example.com").password_hash.startswith("$argon2id$")

    def test_an_address_can_be_registered_once_whatever_its_case(self, api: Api) -> None:
        """The second time is a conflict that says what to do, and does not change the account."""
        api.customer("ada@example.com")
        body = {"email": "ADA@example.com", "password": NEW_PASSWORD}
        answer = api.client().post("/v1/auth/register", json=body)

        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
        assert "log in" in answer.json()["detail"]
        assert _log_in(api, "ada@example.com").status_code == 200

    def test_of_many_at_once_with_one_address_one_gets_it(self, api: Api) -> None:
        """The others are told, and none of them sees an error of ours."""
        body = {"email": "ada@example.com", "password": PASSWORD}
        clients = [api.client() for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda client: client.post("/v1/auth/register", json=body), clients))

        assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]

    def test_nobody_registers_as_staff(self, api: Api) -> None:
        """A role is no field of the form, and is refused rather than ignored."""
        body = {"email": "ada@example.com", "password": PASSWORD, "role": "admin"}
        answer = api.client().post("/v1/auth/register", json=body)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "role"


class TestLoggingIn:
    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self, api: Api) -> None:
        """Without TLS it has a plain name; it lasts as long as the session."""
        api.customer("ada@example.com")
        answer = _log_in(api, "ada@example.com")

        name, *attributes = answer.headers["Set-Cookie"].split("; ")
        assert name.startswith("slipway=")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(attributes)
        assert "Secure" not in attributes
        expires_at = datetime.fromisoformat(answer.json()["expires_at"])
        assert timedelta(days=13) < expires_at - datetime.now(UTC) <= timedelta(days=14)

    def test_with_tls_the_cookie_is_bound_to_this_host_and_to_https(
        self, settings: Settings, database: Database
    ) -> None:
        """Browsers accept a ``__Host-`` cookie only with Secure, Path=/ and no domain."""
        with run_api(settings.model_copy(update={"secure_cookies": True}), database) as api:
            body = {"email": "ada@example.com", "password": PASSWORD}
            api.client().post("/v1/auth/register", json=body)
            name, *attributes = _log_in(api, "ada@example.com").headers["Set-Cookie"].split("; ")

        assert name.startswith("__Host-slipway=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(attributes)
        assert not any(attribute.startswith("Domain") for attribute in attributes)

    def test_an_address_logs_in_however_it_is_written(self, api: Api) -> None:
        """Upper case is no other account."""
        api.customer("ada@example.com")

        assert _log_in(api, "ADA@EXAMPLE.COM").status_code == 200

    def test_an_unknown_account_and_a_wrong_password_look_the_same(self, api: Api) -> None:
        """Nothing but the request's id differs."""
        api.customer("ada@example.com")
        answers = [_log_in(api, "nobody@example.com"), _log_in(api, "ada@example.com", "wrong wrong wrong")]

        bodies = [{**answer.json(), "request_id": None} for answer in answers]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert bodies[0] == bodies[1]
        assert bodies[0]["code"] == "wrong_credentials"

    def test_each_login_is_a_new_session_and_ends_the_one_before(self, api: Api) -> None:
        """A cookie that somebody planted in the browser does not become a logged-in one."""
        customer = api.customer()
        before = customer.cookie_client()
        body = {"email": customer.email, "password": PASSWORD}
        customer.http.post("/v1/auth/login", json=body).raise_for_status()

        assert customer.http.cookies["slipway"] != before.cookies["slipway"]
        assert customer.http.get("/v1/me").status_code == 200
        assert before.get("/v1/me").status_code == 401

    def test_a_suspended_customer_is_told_so_only_with_the_right_password(self, api: Api) -> None:
        """Others do not learn that there is such an account."""
        customer = api.customer()
        api.suspend(customer)

        right, wrong = _log_in(api, customer.email), _log_in(api, customer.email, "wrong wrong wrong")
        assert (right.status_code, right.json()["code"]) == (403, "account_suspended")
        assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")

    def test_a_hash_of_yesterdays_cost_is_made_anew(self, settings: Settings, database: Database) -> None:
        """The password stays, its hash gets today's cost."""
        with run_api(settings, database) as api:
            customer = api.customer("ada@example.com")
        stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
        with run_api(settings, database, passwords=stronger) as api:
            answers = [_log_in(api, customer.email).status_code for _ in range(2)]
            encoded = _stored(api, customer.email).password_hash

        assert answers == [200, 200]
        assert encoded.startswith("$argon2id$v=19$m=16,t=2,p=1$")


class TestASession:
    def test_it_ends_when_its_time_is_over(self, api: Api) -> None:
        """An expired cookie is no credential, and the next login forgets its row."""
        customer = api.customer()
        _expire_sessions(api, customer)

        assert customer.http.get("/v1/me").status_code == 401
        assert _log_in(api, customer.email).status_code == 200
        assert _number_of_sessions(api, customer) == 1

    def test_it_ends_with_logging_out(self, api: Api) -> None:
        """The cookie is taken from the browser, and a copy of it is worthless."""
        customer = api.customer()
        copy = customer.cookie_client()
        answer = customer.http.post("/v1/auth/logout")

        assert answer.status_code == 204
        assert "slipway" not in customer.http.cookies
        assert copy.get("/v1/me").status_code == 401

    def test_a_token_cannot_log_out(self, api: Api) -> None:
        """It is told how tokens end."""
        answer = api.customer().token_client().post("/v1/auth/logout")

        assert (answer.status_code, answer.json()["code"]) == (403, "session_required")

    def test_a_page_gets_its_csrf_token_again_after_a_reload(self, api: Api) -> None:
        """``/v1/me`` tells the session's CSRF token, which works; a token client has none and needs none."""
        customer = api.customer()
        client = customer.cookie_client()
        me = client.get("/v1/me").json()
        client.headers["X-CSRF-Token"] = me["csrf_token"]

        assert (me["via"], len(me["scopes"])) == ("session", 7)
        assert client.post("/v1/tokens", json={"name": "x", "scopes": ["account"]}).status_code == 201
        assert customer.token_client("account").get("/v1/me").json()["csrf_token"] is None

    def test_the_csrf_token_of_another_session_is_wrong(self, api: Api) -> None:
        """Somebody's own valid token does not unlock a victim's browser."""
        victim, attacker = api.customer(), api.customer()
        client = victim.cookie_client()
        client.headers["X-CSRF-Token"] = attacker.http.headers["X-CSRF-Token"]

        assert client.post("/v1/auth/logout").json()["code"] == "csrf_token_required"

    def test_its_row_holds_no_secret(self, api: Api) -> None:
        """Whoever reads the database cannot log in with it."""
        customer = api.customer()
        with api.runtime.database.transaction() as transaction:
            row = transaction.session.scalars(select(LoginSession)).one()

        assert customer.http.cookies["slipway"].encode() not in row.token_hash + row.csrf_hash
        assert len(row.token_hash) == len(row.csrf_hash) == 32


class TestChangingThePassword:
    def test_all_other_sessions_end(self, api: Api) -> None:
        """Whoever stole one is out; the session that made the change goes on, and so does the new password."""
        customer = api.customer()
        thief = api.client()
        thief.cookies.update(_log_in(api, customer.email).cookies)
        change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        answer = customer.http.put("/v1/me/password", json=change)

        assert answer.status_code == 204
        assert thief.get("/v1/me").status_code == 401
        assert customer.http.get("/v1/me").status_code == 200
        assert _log_in(api, customer.email).status_code == 401
        assert _log_in(api, customer.email, NEW_PASSWORD).status_code == 200

    def test_it_takes_the_old_one(self, api: Api) -> None:
        """An unlocked screen is not enough."""
        customer = api.customer()
        change = {"current_password": "wrong wrong wrong", "new_password": NEW_PASSWORD}
        answer = customer.http.put("/v1/me/password", json=change)

        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
        assert _log_in(api, customer.email).status_code == 200

    def test_of_two_changes_at_once_one_wins_and_the_other_is_told(self, api: Api) -> None:
        """Both prove the same old password; only the first finds it still in place."""
        customer = api.customer()
        clients = [customer.token_client("account") for _ in range(2)]

        def change(number: int) -> int:
            body = {"current_password": PASSWORD, "new_password": f"{NEW_PASSWORD} {number}"}
            return clients[number].put("/v1/me/password", json=body).status_code

        with ThreadPoolExecutor(2) as pool:
            statuses = list(pool.map(change, range(2)))

        working = [
            number for number in range(2) if _log_in(api, customer.email, f"{NEW_PASSWORD} {number}").status_code == 200
        ]
        assert sorted(statuses) == [204, 401]
        assert working == [statuses.index(204)]


@pytest.mark.parametrize(
    "header",
    ["slw_x", "Bearer", "Basic YTpi", "Bearer slw_ä", "bearer  slw_x", "Bearer " + "x" * 5000],
)
def test_a_header_that_is_no_good_token_is_401_even_beside_a_good_cookie(api: Api, header: str) -> None:
    """A program with a broken token learns of it, instead of acting as whoever's browser it runs in."""
    customer = api.customer()
    answer = customer.http.get("/v1/me", headers=[(b"Authorization", header.encode("latin-1"))])

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def _expire_sessions(api: Api, customer: Customer) -> None:
    with api.runtime.database.transaction() as transaction:
        transaction.session.execute(
            update(LoginSession)
            .where(LoginSession.user_id == customer.id)
            .values(expires_at=func.now() - timedelta(seconds=1))
        )


def _number_of_sessions(api: Api, customer: Customer) -> int:
    with api.runtime.database.transaction() as transaction:
        query = select(func.count()).select_from(LoginSession).where(LoginSession.user_id == customer.id)
        return transaction.session.scalar(query) or 0
