"""What the processes are made of: nobody's session has more rights than the application's role."""

from pathlib import Path

import pytest
from sqlalchemy import text

from api.db.roles import APP_ROLE
from api.db.session import Database
from api.jobs import CeleryJobQueue, make_celery
from api.serve import build_runtime
from api.settings import MigrationSettings, Settings
from automation.services import Engines, build_services
from tests.fakes.engine import FakeEngine
from tests.fixtures.runner import worker_settings


def acting_role(database: Database) -> str:
    """Return whose rights a session has."""
    try:
        with database.transaction() as transaction:
            return str(transaction.session.execute(text("SELECT current_user")).scalar_one())
    finally:
        database.close()


def test_the_api_acts_as_the_applications_role(settings: Settings) -> None:
    """Though the login of DATABASE_URL may do anything."""
    assert acting_role(build_runtime(settings).database) == APP_ROLE


def test_the_worker_acts_as_the_applications_role(settings: Settings, database_url: str, tmp_path: Path) -> None:
    """It has no need of more either."""
    given = worker_settings(tmp_path, DATABASE_URL=database_url)
    jobs = CeleryJobQueue(make_celery(settings.redis_url.get_secret_value()))
    assert acting_role(build_services(given, Engines(FakeEngine(), FakeEngine()), jobs, {}).database) == APP_ROLE


def test_a_login_with_exactly_these_rights_needs_no_role(settings: Settings) -> None:
    """An empty setting leaves the login as it is."""
    assert acting_role(build_runtime(settings.model_copy(update={"database_role": ""})).database) == "postgres"


@pytest.mark.parametrize(("owner", "expected"), [(None, "lesser"), ("owner", "owner")])
def test_migrations_run_as_the_owner_where_one_is_given(
    monkeypatch: pytest.MonkeyPatch, owner: str | None, expected: str
) -> None:
    """Else with the one login that there is."""
    monkeypatch.setenv("DATABASE_URL", "lesser")
    monkeypatch.delenv("MIGRATION_DATABASE_URL", raising=False)
    if owner is not None:
        monkeypatch.setenv("MIGRATION_DATABASE_URL", owner)
    assert MigrationSettings().database_url.get_secret_value() == expected
