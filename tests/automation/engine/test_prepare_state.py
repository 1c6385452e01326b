"""The state database is looked at before the CLI is let near it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from automation.embedded.postgres import EmbeddedPostgres
from automation.engine.backend import prepare_state, state_url
from automation.engine.contract import EngineUnavailable
from automation.toolchain import Toolchain

pytestmark = pytest.mark.engine

_NUMBERS = count(1)
_NO_CLI = Path("/nonexistent/pulumi")


@pytest.fixture
def name(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Return the name of an empty database."""
    name = f"prepared-{next(_NUMBERS)}"
    postgres.create_database(name)
    yield name
    postgres.drop_database(name)
    postgres.drop_database(f"{name}-other")


def _url(postgres: EmbeddedPostgres, name: str) -> str:
    return state_url(postgres.url(name), name)


def _keys(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT key FROM pulumi_state")]


def test_the_cli_makes_its_table_once(postgres: EmbeddedPostgres, name: str, engine_toolchain: Toolchain) -> None:
    """And a second worker that starts finds it."""
    url = _url(postgres, name)

    for _ in range(2):
        prepare_state(engine_toolchain.pulumi, url)

    assert _keys(url) == [f"{name}/.pulumi/meta.yaml"]


def test_a_state_under_another_name_is_refused_before_the_cli_writes_to_it(
    postgres: EmbeddedPostgres, name: str, engine_toolchain: Toolchain
) -> None:
    """Renamed, or restored into another database: every stack would be invisible, and all guests made a second time."""
    prepare_state(engine_toolchain.pulumi, _url(postgres, name))
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        admin.execute(rename.format(sql.Identifier(name), sql.Identifier(f"{name}-other")))
    url = _url(postgres, f"{name}-other")

    with pytest.raises(EngineUnavailable) as refused:
        prepare_state(_NO_CLI, url)

    assert f'ALTER DATABASE "{name}-other" RENAME TO "{name}"' in str(refused.value)
    assert "docs/runbooks/restore-the-state-database.md" in str(refused.value)
    assert _keys(url) == [f"{name}/.pulumi/meta.yaml"]


def test_a_database_that_is_not_there_is_a_clear_refusal(postgres: EmbeddedPostgres) -> None:
    """Without the address, which may hold a password."""
    url = _url(postgres, "nowhere")

    with pytest.raises(EngineUnavailable, match='database "nowhere" does not exist') as refused:
        prepare_state(_NO_CLI, url)

    assert url not in str(refused.value)
