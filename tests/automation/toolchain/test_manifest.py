"""The record that makes the second run instant."""

from pathlib import Path

import pytest

from automation.toolchain.manifest import read_manifest, write_manifest
from automation.toolchain.parts import CLI, PARTS, Part
from tests.fakes.toolchain import write_executable


@pytest.fixture
def parts(tmp_path: Path) -> list[Part]:
    """All parts, as scripts."""
    return [Part(spec.name, spec.version, write_executable(tmp_path / spec.name), "build") for spec in PARTS]


@pytest.fixture
def manifest(tmp_path: Path, parts: list[Part]) -> Path:
    """A record of them."""
    path = tmp_path / "new" / "manifest.json"
    write_manifest(path, parts)
    return path


def test_what_was_recorded_is_read(manifest: Path, parts: list[Part]) -> None:
    """Nothing is lost."""
    assert list(read_manifest(manifest).values()) == parts


def test_a_part_that_changed_is_not_taken(manifest: Path, parts: list[Part]) -> None:
    """Someone put another program in its place: its version is no longer known."""
    write_executable(parts[0].path, "echo other")
    assert list(read_manifest(manifest).values()) == parts[1:]


def test_a_part_that_went_away_or_cannot_be_run_is_not_taken(manifest: Path, parts: list[Part]) -> None:
    """The rest still is."""
    parts[0].path.unlink()
    parts[1].path.chmod(0o644)
    assert list(read_manifest(manifest).values()) == parts[2:]


def test_a_part_of_another_version_is_not_taken(manifest: Path, parts: list[Part]) -> None:
    """A record of an older Slipway, say."""
    write_manifest(manifest, [Part(CLI.name, "3.1.0", parts[0].path, "path")])
    assert read_manifest(manifest) == {}


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": "pulumi"}]', '{"a": 1}'])
def test_an_unreadable_record_counts_as_none(manifest: Path, content: str) -> None:
    """It is written anew."""
    manifest.write_text(content, "utf-8")
    assert read_manifest(manifest) == {}


def test_no_record_is_no_parts(tmp_path: Path) -> None:
    """The first run."""
    assert read_manifest(tmp_path / "none.json") == {}
