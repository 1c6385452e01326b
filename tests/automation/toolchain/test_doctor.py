"""The report on the toolchain."""

import io
from pathlib import Path

from rich.console import Console

from automation.toolchain.doctor import ToolchainReport, print_report, report
from automation.toolchain.ensure import ensure_toolchain
from automation.toolchain.layout import Layout
from automation.toolchain.parts import CLI, HCLOUD, PARTS
from tests.fakes.toolchain import FixedSource, RecordingProgress


def shown(found: ToolchainReport) -> str:
    """The report as it is printed."""
    stream = io.StringIO()
    print_report(found, Console(file=stream, width=200))
    return stream.getvalue()


def test_a_complete_toolchain_is_shown_with_versions_and_origins(layout: Layout, every_part: FixedSource) -> None:
    """And nothing to do."""
    ensure_toolchain(RecordingProgress(), layout=layout, sources=[every_part])
    found = report(layout)
    assert found.complete
    assert found.remedy == ""
    text = shown(found)
    assert all(spec.name in text and spec.version in text for spec in PARTS)
    assert "installed" in text
    assert "missing" not in text


def test_what_is_missing_is_marked_and_the_ways_out_are_told(layout: Layout, every_part: FixedSource) -> None:
    """Without a compiler: all three."""
    toolchain = ensure_toolchain(RecordingProgress(), layout=layout, sources=[every_part])
    (toolchain.plugins / HCLOUD.plugin_folder / HCLOUD.name).unlink()
    found = report(layout, compiler=lambda: None)
    assert [row.name for row in found.parts if row.part is None] == [HCLOUD.name]
    text = shown(found)
    assert "missing" in text
    assert "Either install them" in text
    assert "not found" in text


def test_with_a_compiler_one_command_is_enough(layout: Layout) -> None:
    """It builds whatever is missing."""
    found = report(layout, compiler=lambda: Path("/opt/go"))
    assert not found.complete
    assert found.remedy.startswith("Run `python -m automation.toolchain`")
    assert "/opt/go" in shown(found)


def test_built_parts_are_shown_short(layout: Layout) -> None:
    """Their folder is told once."""
    built = FixedSource("build", {})
    built.paths = {spec.name: layout.built / spec.name for spec in PARTS}
    for path in built.paths.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
    ensure_toolchain(RecordingProgress(), layout=layout, sources=[built])
    text = shown(report(layout))
    assert f"…/built/{CLI.name}" in text
    assert "built here" in text
    assert str(layout.root) in text
