"""Which API is spoken to, and with which token."""

import stat
from pathlib import Path

import pytest

from automation.cli.credentials import DEFAULT_API_URL, Credentials, CredentialStore
from automation.cli.errors import CliError

STORED = Credentials("https://slipway.example", "slw_stored", "id")


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    """A store that holds a login."""
    store = CredentialStore(tmp_path / "new" / "credentials.json")
    store.save(STORED)
    return store


def test_nobody_is_logged_in_at_first(tmp_path: Path) -> None:
    """Without a file the API of `slipway up` is meant."""
    assert CredentialStore(tmp_path / "none").load({}) == Credentials(DEFAULT_API_URL)


def test_a_login_is_private(store: CredentialStore) -> None:
    """Only its owner can read the file."""
    assert store.load({}) == STORED
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_the_environment_goes_first(store: CredentialStore) -> None:
    """A script brings its own token."""
    environment = {"SLIPWAY_API_URL": "http://127.0.0.1:1/", "SLIPWAY_TOKEN": "slw_given"}
    assert store.load(environment) == Credentials("http://127.0.0.1:1", "slw_given")


def test_a_stored_token_goes_to_no_other_api(store: CredentialStore) -> None:
    """Naming another address does not hand it the token."""
    assert store.load({"SLIPWAY_API_URL": "http://elsewhere.example"}) == Credentials("http://elsewhere.example")
    assert store.load({"SLIPWAY_API_URL": "https://slipway.example/"}) == STORED


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"api_url": 1, "tokens": 2}', "\xff"])
def test_a_damaged_file_is_reported_with_the_fix(store: CredentialStore, content: str) -> None:
    """Not a traceback."""
    store.path.write_text(content, encoding="latin-1")
    with pytest.raises(CliError, match="remove it and run `slipway login`"):
        store.load({})
