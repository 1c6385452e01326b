"""Accounts, logins and SSH keys from a terminal."""

import stat
from pathlib import Path

import pytest

from api.auth.scopes import CUSTOMER_SCOPES
from automation.cli.account import SCOPES
from tests.automation.cli.conftest import Terminal, lines
from tests.fakes.workload_specs import OTHER_SSH_KEY, SSH_KEY
from tests.fixtures.api import PASSWORD, Customer

EMAIL = "new@example.com"


class TestLogin:
    def test_the_token_may_do_all_that_the_verbs_need(self) -> None:
        """The API's scopes and ours are the same set."""
        assert set(SCOPES) == CUSTOMER_SCOPES

    def test_registering_logs_in(self, at_api: Terminal) -> None:
        """The password is typed twice, and nobody else can read the stored token."""
        result = at_api.run("register", "--email", EMAIL, typed=f"{PASSWORD}\n{PASSWORD}\n")
        assert f"as {EMAIL}" in result.stdout
        assert PASSWORD not in result.output
        assert stat.S_IMODE(at_api.credentials.stat().st_mode) == 0o600
        assert "No servers yet" in at_api.run("list").stdout

    def test_logging_in_and_out(self, at_api: Terminal) -> None:
        """After logging out the token is revoked, not only forgotten."""
        at_api.environment["SLIPWAY_PASSWORD"] = PASSWORD
        at_api.run("register", "--email", EMAIL)
        at_api.run("login", "--email", EMAIL)
        kept = at_api.credentials.read_text()
        assert at_api.run("logout").stdout == "Logged out.\n"
        assert not at_api.credentials.exists()
        assert "not logged in" in at_api.run("list", exit_code=1).stderr
        at_api.credentials.write_text(kept)
        assert "unauthenticated" in at_api.run("list", exit_code=1).stderr

    def test_a_wrong_password_is_told_with_code_and_request(self, at_api: Terminal) -> None:
        """One sentence, and what support needs to find it in the logs."""
        at_api.environment["SLIPWAY_PASSWORD"] = "not the right one"
        error = at_api.run("login", "--email", EMAIL, exit_code=1).stderr
        assert error.startswith("Error: ")
        assert "(wrong_credentials, request " in error
        assert len(error.splitlines()) == 1

    def test_a_short_password_names_the_field(self, at_api: Terminal) -> None:
        """The API's own words about the field."""
        at_api.environment["SLIPWAY_PASSWORD"] = "short"
        error = at_api.run("register", "--email", EMAIL, exit_code=1).stderr
        assert "password: use 12 to 128 characters" in error

    def test_logging_out_when_nobody_is_logged_in(self, at_api: Terminal) -> None:
        """Said, not ignored."""
        assert "nobody is logged in" in at_api.run("logout", exit_code=1).stderr


class TestSshKeys:
    def test_keys_are_added_listed_and_removed(self, logged_in: Terminal, tmp_path: Path) -> None:
        """The listing shows names and fingerprints."""
        file = tmp_path / "id.pub"
        file.write_text(OTHER_SSH_KEY + "\n")
        logged_in.run("ssh-keys", "add", "desktop", str(file))
        names = [line.split()[0] for line in lines(logged_in.run("ssh-keys", "list"))[1:]]
        assert names == ["desktop", "laptop"]
        logged_in.run("ssh-keys", "remove", "desktop")
        assert "desktop" not in logged_in.run("ssh-keys", "list", "--json").stdout

    def test_removing_an_unknown_key(self, logged_in: Terminal) -> None:
        """The message says where the names are."""
        assert "slipway ssh-keys list" in logged_in.run("ssh-keys", "remove", "nope", exit_code=1).stderr

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret", "is a private key"),
            ("root:$y$secret:19000:0:99999:7:::\nbin:*", "one line of printable characters"),
            ("hello", "starts with its type"),
            ("", "starts with its type"),
        ],
    )
    def test_what_is_no_public_key_never_leaves_the_machine(
        self, logged_in: Terminal, buyer: Customer, tmp_path: Path, content: str, said: str
    ) -> None:
        """A slip of the finger does not send a private key or a password file anywhere."""
        file = tmp_path / "id"
        file.write_text(content)
        error = logged_in.run("ssh-keys", "add", "oops", str(file), exit_code=1).stderr
        assert said in error
        assert "secret" not in error
        assert "request" not in error
        assert len(buyer.http.get("/v1/ssh-keys").json()["items"]) == 1

    def test_a_file_that_is_not_there(self, logged_in: Terminal) -> None:
        """A sentence with the file's name."""
        error = logged_in.run("ssh-keys", "add", "x", "/nonexistent.pub", exit_code=1).stderr
        assert "/nonexistent.pub cannot be read" in error

    def test_a_key_that_is_there_already_is_refused_by_the_api(self, logged_in: Terminal, tmp_path: Path) -> None:
        """Its message is passed on."""
        file = tmp_path / "id.pub"
        file.write_text(SSH_KEY)
        assert "name_taken" in logged_in.run("ssh-keys", "add", "laptop", str(file), exit_code=1).stderr
