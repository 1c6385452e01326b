"""Parts made on this machine, with a compiler that makes scripts."""

import os
from pathlib import Path

import pytest

from automation.toolchain.build import BuiltParts
from automation.toolchain.layout import Layout
from automation.toolchain.parts import BUNDLE, CLI, CLOUDFLARE, HCLOUD, LANGUAGE_HOST, PARTS, PROXMOXVE
from automation.toolchain.source import SourceError
from tests.fakes.toolchain import RecordingProgress, write_go_compiler


@pytest.fixture
def compiler(tmp_path: Path) -> Path:
    """A compiler."""
    return write_go_compiler(tmp_path / "go")


def builds(compiler: Path) -> list[str]:
    """The arguments of every build so far."""
    log = compiler.parent / "go.log"
    return log.read_text("utf-8").splitlines() if log.exists() else []


def test_every_part_can_be_made(layout: Layout, compiler: Path) -> None:
    """The CLI, the schema tool once, and the two plugins are compiled; the rest are launchers."""
    progress = RecordingProgress()
    found = BuiltParts(layout, compiler=lambda: compiler).obtain(PARTS, None, progress)
    assert set(found) == {spec.name for spec in PARTS}
    assert all(os.access(path, os.X_OK) for path in found.values())
    assert len(builds(compiler)) == 4
    assert progress.steps == [
        "Building pulumi 3.259.0",
        "Building the providers' schema tool",
        "Building pulumi-resource-hcloud 1.43.3",
        "Building pulumi-resource-proxmoxve 8.6.0",
    ]


def test_the_cli_carries_its_version(layout: Layout, compiler: Path) -> None:
    """Else the Automation API refuses it."""
    BuiltParts(layout, compiler=lambda: compiler).obtain([CLI], None, RecordingProgress())
    assert f"version.Version=v{CLI.version}" in builds(compiler)[0]


def test_language_host_and_launcher_lie_beside_the_cli(layout: Layout, compiler: Path) -> None:
    """The engine looks for them there, and the CLI is no link."""
    found = BuiltParts(layout, compiler=lambda: compiler).obtain(BUNDLE, None, RecordingProgress())
    assert {path.parent for path in found.values()} == {layout.launchers}
    assert not found[CLI.name].is_symlink()


def test_what_is_built_is_not_built_again(layout: Layout, compiler: Path) -> None:
    """Another interpreter needs its launchers only."""
    BuiltParts(layout, compiler=lambda: compiler).obtain([HCLOUD, CLI], None, RecordingProgress())
    once = builds(compiler)
    other = Layout(layout.root, layout.root / "python-other")
    found = BuiltParts(other, compiler=lambda: None).obtain([HCLOUD, CLI, LANGUAGE_HOST], None, RecordingProgress())
    assert builds(compiler) == once
    assert found[CLI.name] == other.launchers / CLI.name


def test_launchers_need_no_compiler(layout: Layout) -> None:
    """They are Python."""
    found = BuiltParts(layout, compiler=lambda: None).obtain([CLOUDFLARE], None, RecordingProgress())
    assert set(found) == {CLOUDFLARE.name}


def test_without_a_compiler_the_error_says_what_needs_it(layout: Layout) -> None:
    """And where it was looked for."""
    with pytest.raises(SourceError, match=r"Building pulumi, pulumi-resource-proxmoxve needs Go"):
        BuiltParts(layout, compiler=lambda: None).obtain([CLI, PROXMOXVE], None, RecordingProgress())


def test_a_failed_build_leaves_nothing_half_made(layout: Layout, tmp_path: Path) -> None:
    """Neither a program nor the folder it was built in."""
    compiler = write_go_compiler(tmp_path / "failing" / "go", "exit 1")
    with pytest.raises(SourceError, match="go build"):
        BuiltParts(layout, compiler=lambda: compiler).obtain([CLI], None, RecordingProgress())
    assert list(layout.built.iterdir()) == []
    assert [path.name for path in layout.root.iterdir()] == ["built"]


def test_a_schema_that_cannot_be_written_is_told(layout: Layout, tmp_path: Path) -> None:
    """With the tool's own words."""
    body = """while [ $# -gt 0 ]; do if [ "$1" = "-o" ]; then output="$2"; fi; shift; done
        printf '#!/bin/sh\\necho no mapping >&2; exit 1\\n' > "$output"; chmod +x "$output"; exit 0"""
    compiler = write_go_compiler(tmp_path / "odd" / "go", body)
    with pytest.raises(SourceError, match=r"(?s)schema of hcloud.*no mapping"):
        BuiltParts(layout, compiler=lambda: compiler).obtain([HCLOUD], None, RecordingProgress())
