"""Where the toolchain is kept."""

import shutil
from pathlib import Path

import pytest

from automation.toolchain.layout import GO_SOURCES, Layout, cache_folder, interpreter_digest, versions_digest


def test_the_cache_can_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By SLIPWAY_CACHE_DIR."""
    monkeypatch.setenv("SLIPWAY_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path
    assert Layout.of_this_process().root.is_relative_to(tmp_path / "toolchain")


def test_the_cache_is_the_users_own_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the platform keeps caches."""
    monkeypatch.delenv("SLIPWAY_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "slipway"


def test_other_sources_have_another_folder(tmp_path: Path) -> None:
    """So that a change of a module's version is built and never mixed up with the old one."""
    sources = tmp_path / "go"
    shutil.copytree(GO_SOURCES, sources)
    assert versions_digest(sources) == versions_digest()
    sums = sources / "providers" / "go.sum"
    sums.write_text(sums.read_text("utf-8") + "another line\n", "utf-8")
    assert versions_digest(sources) != versions_digest()


def test_two_interpreters_share_what_is_built_and_have_their_own_launchers() -> None:
    """Launchers name the interpreter."""
    assert interpreter_digest("/one/python") != interpreter_digest("/other/python")
    assert interpreter_digest() == interpreter_digest()
    mine = Layout.of_this_process()
    assert mine.launchers.is_relative_to(mine.installation)
    assert not mine.built.is_relative_to(mine.installation)
