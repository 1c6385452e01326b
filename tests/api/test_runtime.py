"""A request's transaction: committed before the answer leaves, or not at all."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request
from sqlalchemy import text

from api.jobs import Job
from api.runtime import RuntimeDep, SessionDep, TransactionDep, get_runtime
from tests.fixtures.api import Api

INSERT = text("INSERT INTO sites (id, slug, name) VALUES (gen_random_uuid(), 'fsn', 'Falkenstein')")
AS_OWNER = text("SET LOCAL ROLE NONE")
DEFERRED = text("ALTER TABLE sites ADD CONSTRAINT late UNIQUE (name) DEFERRABLE INITIALLY DEFERRED")


def _number_of_sites(api: Api) -> int:
    with api.runtime.database.transaction() as transaction:
        return int(transaction.session.execute(text("SELECT count(*) FROM sites")).scalar_one())


def _drop_constraint(api: Api) -> None:
    """The database serves other tests after this one."""
    with api.runtime.database.transaction() as transaction:
        transaction.session.execute(AS_OWNER)
        transaction.session.execute(text("ALTER TABLE sites DROP CONSTRAINT late"))


def test_a_commit_that_fails_is_an_error_and_never_a_success(api: Api, request: pytest.FixtureRequest) -> None:
    """The constraint is checked by COMMIT itself: a dependency that commits after the answer would have said 200."""
    with api.runtime.database.transaction() as transaction:
        transaction.session.execute(AS_OWNER)
        transaction.session.execute(DEFERRED)
    request.addfinalizer(lambda: _drop_constraint(api))

    def insert_twice(transaction: TransactionDep, runtime: RuntimeDep) -> None:
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.SWEEP))
        for slug in ("one", "two"):
            statement = text("INSERT INTO sites (id, slug, name) VALUES (gen_random_uuid(), :slug, 'the same')")
            transaction.session.execute(statement, {"slug": slug})

    api.app.add_api_route("/twice", insert_twice)
    answer = api.client().get("/twice")

    assert (answer.status_code, answer.json()["code"]) == (409, "concurrent_change")
    assert _number_of_sites(api) == 0
    assert api.jobs.sent == []


def test_what_an_answer_says_is_durable_when_it_arrives(api: Api) -> None:
    """Rows are there for every other connection, and jobs are sent after them."""

    def insert(transaction: TransactionDep, runtime: RuntimeDep) -> None:
        transaction.session.execute(INSERT)
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.SWEEP, str(_number_of_sites(api))))

    api.app.add_api_route("/insert", insert)
    answer = api.client().get("/insert")

    assert answer.status_code == 200
    assert _number_of_sites(api) == 1
    assert api.jobs.sent == [(Job.SWEEP, ("1",))]


def test_a_route_that_fails_leaves_nothing_behind(api: Api) -> None:
    """Whatever it wrote before it raised is rolled back."""

    def insert_and_fail(session: SessionDep) -> None:
        session.execute(INSERT)
        raise ZeroDivisionError

    api.app.add_api_route("/fail", insert_and_fail)
    answer = api.client().get("/fail")

    assert answer.status_code == 500
    assert _number_of_sites(api) == 0


def test_an_app_without_a_runtime_says_how_to_make_one() -> None:
    """A mistake of ours is named, instead of an attribute error deep in a route."""
    request = cast("Request", SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(runtime=cast("Any", None)))))

    with pytest.raises(TypeError, match="create_app"):
        asyncio.run(get_runtime(request))
