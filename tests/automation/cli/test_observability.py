"""``slipway observability render``: the files that an operator delivers."""

from pathlib import Path

import pytest

from tests.automation.cli.conftest import Terminal
from tests.fixtures.observability import ROOT
from tests.fixtures.platform_tools import run

LAB = ROOT / "Pulumi.lab-observability.yaml"


def test_the_files_are_written_and_an_older_one_is_gone(terminal: Terminal, tmp_path: Path) -> None:
    """The same again gives the same; promtool finds it good."""
    folder = tmp_path / "delivery"
    terminal.run("observability", "render", str(LAB), "--to", str(folder))
    first = {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    (folder / "of-an-older-version.yml").write_text("")
    said = terminal.run("observability", "render", str(LAB), "--to", str(folder)).output

    assert f"Wrote {len(first)} files" in said
    assert {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()} == first
    assert (folder / "apply").stat().st_mode & 0o111
    assert "SUCCESS" in run("promtool", "check", "config", "--syntax-only", folder / "prometheus.yml")


def test_a_folder_with_other_files_is_left_alone(terminal: Terminal, tmp_path: Path) -> None:
    """Replacing it would be a way to lose one's home."""
    (tmp_path / "letter.txt").write_text("dear")
    said = terminal.run("observability", "render", str(LAB), "--to", str(tmp_path), exit_code=1).output
    assert "holds other files" in said
    assert (tmp_path / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "has no 'config' with 'slipway:spec'"),
        ("config: {'slipway:spec': {volume_gib: 1}}", "volume_gib: Input should be greater than or equal to 10"),
        ("config: [", "is no YAML"),
    ],
)
def test_what_is_no_configuration_is_named(terminal: Terminal, tmp_path: Path, text: str, message: str) -> None:
    """With the key that is wrong; nothing is written."""
    file = tmp_path / "Pulumi.lab-observability.yaml"
    file.write_text(text)
    said = terminal.run("observability", "render", str(file), "--to", str(tmp_path / "to"), exit_code=1).output
    assert message in said
    assert not (tmp_path / "to").exists()
