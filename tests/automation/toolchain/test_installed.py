"""Parts that the operator has installed."""

from pathlib import Path

import pytest

from automation.toolchain.installed import InstalledParts
from automation.toolchain.parts import BUNDLE, CLI, HCLOUD, PARTS, PartSpec
from tests.fakes.toolchain import RecordingProgress, write_executable


def search(environment: dict[str, str], wanted: tuple[PartSpec, ...] = PARTS) -> dict[str, Path]:
    """What is found with an environment of this kind."""
    return InstalledParts(environment).obtain(wanted, None, RecordingProgress())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder on PATH with the official CLI's three programs."""
    write_executable(tmp_path / "bin" / CLI.name, f"echo v{CLI.version}")
    for spec in BUNDLE[1:]:
        write_executable(tmp_path / "bin" / spec.name)
    return tmp_path / "bin"


def test_the_official_cli_on_path_is_taken_with_what_lies_beside_it(folder: Path) -> None:
    """All three, from one place."""
    assert search({"PATH": str(folder)}) == {spec.name: folder / spec.name for spec in BUNDLE}


def test_a_link_to_the_cli_leads_to_its_real_folder(folder: Path, tmp_path: Path) -> None:
    """As package managers install it; the engine looks beside the real file."""
    links = tmp_path / "links"
    links.mkdir()
    (links / CLI.name).symlink_to(folder / CLI.name)
    assert search({"PATH": str(links)})[CLI.name] == folder / CLI.name


def test_another_version_of_the_cli_is_not_taken(folder: Path) -> None:
    """It may plan other changes."""
    write_executable(folder / CLI.name, "echo v3.1.0")
    assert search({"PATH": str(folder)}) == {}


def test_a_cli_without_its_language_host_is_not_taken(folder: Path) -> None:
    """It could not run a program."""
    (folder / BUNDLE[1].name).unlink()
    assert search({"PATH": str(folder)}) == {}


def test_a_program_that_fails_is_not_taken(folder: Path) -> None:
    """Nothing is known of it."""
    write_executable(folder / CLI.name, f"echo v{CLI.version}; exit 1")
    write_executable(folder / HCLOUD.name).write_text("no program", "utf-8")
    assert search({"PATH": str(folder)}) == {}


def test_a_plugin_on_path_is_taken_if_it_is_of_the_right_version(tmp_path: Path) -> None:
    """The plugin says so itself."""
    plugin = write_executable(tmp_path / HCLOUD.name, f'[ "$1" = -version ] && echo {HCLOUD.version}')
    assert search({"PATH": str(tmp_path)}) == {HCLOUD.name: plugin}
    write_executable(plugin, "echo 1.0.0")
    assert search({"PATH": str(tmp_path)}) == {}


def test_a_plugin_in_the_users_pulumi_folder_is_taken(tmp_path: Path) -> None:
    """Its folder's name tells the version; `pulumi plugin install` puts it there."""
    kept = write_executable(tmp_path / ".pulumi" / "plugins" / HCLOUD.plugin_folder / HCLOUD.name)
    assert search({"HOME": str(tmp_path)}) == {HCLOUD.name: kept}
    assert search({"HOME": "/nowhere", "PULUMI_HOME": str(tmp_path / ".pulumi")}) == {HCLOUD.name: kept}


def test_only_what_is_wanted_is_looked_for(folder: Path) -> None:
    """The rest was found elsewhere."""
    assert search({"PATH": str(folder)}, (HCLOUD,)) == {}
