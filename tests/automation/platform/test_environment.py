"""The file with the providers' credentials."""

from pathlib import Path

import pytest

from automation.platform.environment import PlatformEnvironmentError, parse_environment, read_secrets
from tests.fixtures.platform import CANARY, write_environment

URL = "postgres://state"


def test_the_engine_gets_what_the_file_says(tmp_path: Path) -> None:
    """The passphrase apart; where the state is comes from our settings, whatever the file says of it."""
    path = write_environment(tmp_path, PULUMI_BACKEND_URL="postgres://another", HETZNER_ROBOT_URL="https://robot")
    secrets = read_secrets(path, URL)

    assert (secrets.backend_url, secrets.passphrase) == (URL, "of this test only")
    assert dict(secrets.provider_environment) == {"HCLOUD_TOKEN": CANARY, "HETZNER_ROBOT_URL": "https://robot"}


def test_quotes_comments_and_export_are_understood() -> None:
    """As a shell understands them: people source the same file."""
    text = "# ours\n\nexport A='it is'\nB=\"two words\"  # why\nC=x=y\nD=''\n"

    assert parse_environment(text, "platform.env") == {"A": "it is", "B": "two words", "C": "x=y", "D": ""}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("just words", "platform.env:1: write NAME=value"),
        ("A='open", "platform.env:1: a quotation mark is not closed"),
        ("LD_PRELOAD=/tmp/evil.so", "LD_PRELOAD is the engine's own"),
        ("HCLOUD_TOKEN=short", "HCLOUD_TOKEN has fewer than 8 characters"),
    ],
)
def test_what_is_wrong_is_told_by_line_or_name(line: str, said: str) -> None:
    """And never with a value."""
    with pytest.raises(PlatformEnvironmentError, match=said) as error:
        parse_environment(line, "platform.env")
    assert "evil" not in str(error.value)
    assert "short" not in str(error.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o700])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that mends it."""
    path = write_environment(tmp_path)
    path.chmod(mode)
    with pytest.raises(PlatformEnvironmentError, match="chmod 600"):
        read_secrets(path, URL)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """So is a folder in its place, a passphrase that is missing, and a setting that is not set."""
    for path, said in (
        (tmp_path / "nothing.env", "cannot be read"),
        (tmp_path, "is no file"),
        (None, "SLIPWAY_PLATFORM_ENVIRONMENT_FILE is not set"),
        (write_environment(tmp_path, PULUMI_CONFIG_PASSPHRASE=""), "has no PULUMI_CONFIG_PASSPHRASE"),
    ):
        with pytest.raises(PlatformEnvironmentError, match=said):
            read_secrets(path, URL)
