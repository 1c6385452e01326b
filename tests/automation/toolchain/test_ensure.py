"""Finding or making the toolchain."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automation.toolchain.ensure import ensure_toolchain
from automation.toolchain.find import ToolchainMissingError
from automation.toolchain.layout import Layout
from automation.toolchain.parts import BUNDLE, CLI, HCLOUD, PARTS, PartSpec
from automation.toolchain.progress import Progress
from automation.toolchain.source import SourceError
from tests.fakes.toolchain import FixedSource, RecordingProgress, write_executable


def test_each_source_is_asked_for_what_is_still_lacking(
    layout: Layout, every_part: FixedSource, tmp_path: Path
) -> None:
    """The first that has a part gives it, and its origin is kept."""
    first = FixedSource("download", {HCLOUD.name: write_executable(tmp_path / "first" / HCLOUD.name)})
    toolchain = ensure_toolchain(RecordingProgress(), layout=layout, sources=[first, every_part])
    origins = {part.name: part.origin for part in toolchain.parts}
    assert origins == {spec.name: "download" if spec is HCLOUD else "path" for spec in PARTS}
    assert every_part.asked == [[spec.name for spec in PARTS if spec is not HCLOUD]]


def test_the_second_run_asks_no_source(layout: Layout, every_part: FixedSource) -> None:
    """And shows nothing."""
    ensure_toolchain(RecordingProgress(), layout=layout, sources=[every_part])
    progress = RecordingProgress()
    ensure_toolchain(progress, layout=layout, sources=[every_part])
    assert len(every_part.asked) == 1
    assert progress.steps == []


def test_the_engine_finds_each_plugin_in_its_home(layout: Layout, every_part: FixedSource) -> None:
    """Wherever it really is, and in place of whatever was there."""
    stale = layout.home / "plugins" / HCLOUD.plugin_folder / "left over"
    stale.parent.mkdir(parents=True)
    stale.touch()
    toolchain = ensure_toolchain(RecordingProgress(), layout=layout, sources=[every_part])
    placed = {path.name: path.resolve() for path in toolchain.plugins.glob("*/*")}
    assert placed == {part.name: part.path for part in toolchain.parts if part.name not in {s.name for s in BUNDLE}}


def test_a_plugin_downloaded_into_the_home_stays_as_it_is(layout: Layout, every_part: FixedSource) -> None:
    """It is where the engine looks already."""
    place = write_executable(layout.home / "plugins" / HCLOUD.plugin_folder / HCLOUD.name)
    download = FixedSource("download", {HCLOUD.name: place})
    ensure_toolchain(RecordingProgress(), layout=layout, sources=[download, every_part])
    assert not place.is_symlink()


def test_no_source_having_a_part_is_an_error_that_says_why(layout: Layout) -> None:
    """It names the parts, the last source's reason and the three ways; progress is closed."""
    compiler = FixedSource("build", {}, SourceError("there is no compiler"))
    progress = RecordingProgress()
    with pytest.raises(ToolchainMissingError, match=r"lacks pulumi, .*there is no compiler\. Either install"):
        ensure_toolchain(progress, layout=layout, sources=[FixedSource("path", {}), compiler])
    assert progress.closed


def test_plugins_are_downloaded_with_the_cli_that_was_found(layout: Layout, every_part: FixedSource) -> None:
    """Each source learns of the CLI that an earlier one had."""
    downloads = FixedSource("download", {})
    bundle = FixedSource("path", {spec.name: every_part.paths[spec.name] for spec in BUNDLE})
    ensure_toolchain(RecordingProgress(), layout=layout, sources=[downloads, bundle, downloads, every_part])
    assert downloads.clis == [None, every_part.paths[CLI.name]]


@dataclass
class SlowSource(FixedSource):
    """Takes until it is released, and tells when it is at work."""

    working: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def obtain(self, wanted: Sequence[PartSpec], cli: Path | None, progress: Progress) -> dict[str, Path]:
        """Wait, then give."""
        self.working.set()
        assert self.released.wait(30)
        return super().obtain(wanted, cli, progress)


class WaitingProgress(RecordingProgress):
    """Tells when someone waits for the lock."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Event()

    def step(self, title: str) -> None:
        """Note a step."""
        super().step(title)
        if title.startswith("Waiting"):
            self.waiting.set()


def test_two_at_once_make_it_once(layout: Layout, every_part: FixedSource) -> None:
    """The second waits for the first, then finds everything."""
    slow, progress = SlowSource("build", every_part.paths), WaitingProgress()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ensure_toolchain, RecordingProgress(), layout=layout, sources=[slow])
        assert slow.working.wait(30)
        second = pool.submit(ensure_toolchain, progress, layout=layout, sources=[slow])
        assert progress.waiting.wait(30)
        slow.released.set()
        assert first.result() == second.result()
    assert len(slow.asked) == 1
