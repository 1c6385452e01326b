"""The operator's small tools."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from api.catalogue.models import Product
from api.catalogue.seed import load_catalogue, seed_catalogue
from api.db.session import Database
from api.inventory.models import Node
from api.vault import Vault, generate_key
from tests.automation.cli.conftest import Terminal
from tests.factories.estate import estate


def test_a_generated_key_is_a_key(terminal: Terminal) -> None:
    """It seals and opens, and is another each time."""
    first, second = (terminal.run("keys", "generate").stdout.strip() for _ in range(2))
    assert first != second
    vault = Vault(f"{first},{second}")
    assert vault.open(vault.seal("secret")) == "secret"


class TestEstate:
    @pytest.fixture
    def operator(self, terminal: Terminal, database: Database, database_url: str) -> Terminal:
        """A terminal with the operator's settings."""
        with database.transaction() as transaction:
            seed_catalogue(transaction.session, load_catalogue())
        terminal.environment |= {"DATABASE_URL": database_url, "SLIPWAY_MASTER_KEYS": generate_key()}
        return terminal

    def test_a_document_is_imported_and_can_be_again(
        self, operator: Terminal, database: Database, tmp_path: Path
    ) -> None:
        """Nodes are there afterwards, their credentials sealed."""
        file = tmp_path / "estate.json"
        file.write_text(json.dumps(estate()))
        for _ in range(2):
            assert "Imported 3 nodes" in operator.run("estate", "import", str(file)).stdout
        with database.transaction() as transaction:
            nodes = transaction.session.scalars(select(Node)).all()
        assert len(nodes) == 3
        vault = Vault(operator.environment["SLIPWAY_MASTER_KEYS"])
        assert all(vault.open(node.sealed_token).startswith("slipway@pve!") for node in nodes)

    def test_a_bad_document_is_told_by_its_field_and_shows_no_credential(
        self, operator: Terminal, tmp_path: Path
    ) -> None:
        """The message names file and field, never the value."""
        document = estate()
        document["nodes"] = [{**document["nodes"][0], "cores": "canary-credential"}]
        file = tmp_path / "estate.json"
        file.write_text(json.dumps(document))
        error = operator.run("estate", "import", str(file), exit_code=1).stderr
        assert "nodes.0.cores" in error
        assert "canary-credential" not in error

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"sites": []}'])
    def test_what_is_no_estate_is_refused(self, operator: Terminal, tmp_path: Path, content: str) -> None:
        """One sentence with the file's name."""
        file = tmp_path / "estate.json"
        file.write_text(content)
        assert str(file) in operator.run("estate", "import", str(file), exit_code=1).stderr

    def test_a_file_that_is_not_there(self, operator: Terminal) -> None:
        """Named, with what the system says."""
        error = operator.run("estate", "import", "/nonexistent.json", exit_code=1).stderr
        assert "/nonexistent.json: No such file or directory" in error

    def test_missing_settings_are_named(self, terminal: Terminal) -> None:
        """All of them at once."""
        terminal.environment |= {"DATABASE_URL": "", "SLIPWAY_MASTER_KEYS": ""}
        error = terminal.run("estate", "import", "x.json", exit_code=1).stderr
        assert "set DATABASE_URL and SLIPWAY_MASTER_KEYS" in error


class TestMigrate:
    def test_schema_and_catalogue_are_brought_up_to_date_and_can_be_again(
        self, terminal: Terminal, database: Database, database_url: str
    ) -> None:
        """As the owner, whose address goes before the application's."""
        terminal.environment |= {"MIGRATION_DATABASE_URL": database_url, "DATABASE_URL": "postgresql://nobody@/nothing"}
        for _ in range(2):
            assert "The database is up to date." in terminal.run("migrate").stdout
        with database.transaction() as transaction:
            assert transaction.session.scalars(select(Product.slug)).all()

    def test_a_missing_address_is_named(self, terminal: Terminal) -> None:
        """The message says whose login is meant."""
        terminal.environment |= {"DATABASE_URL": "", "MIGRATION_DATABASE_URL": ""}
        error = terminal.run("migrate", exit_code=1).stderr
        assert "set MIGRATION_DATABASE_URL, the address of the database with its owner's login" in error
