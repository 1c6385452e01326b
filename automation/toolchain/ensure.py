"""Finds the toolchain, or makes it: searched for, downloaded, built."""

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from automation.toolchain.build import BuiltParts
from automation.toolchain.download import OfficialDownloads
from automation.toolchain.find import ToolchainMissingError, find_toolchain
from automation.toolchain.installed import InstalledParts
from automation.toolchain.layout import Layout
from automation.toolchain.manifest import write_manifest
from automation.toolchain.parts import CLI, PARTS, Part, Toolchain
from automation.toolchain.progress import LineProgress, Progress
from automation.toolchain.source import Source, SourceError


def ensure_toolchain(
    progress: Progress | None = None, *, layout: Layout | None = None, sources: Sequence[Source] | None = None
) -> Toolchain:
    """The toolchain; what is lacking is searched for, downloaded or built, which may take minutes.

    Two processes at once do not do it twice: the second waits for the first.

    Args:
        progress: told what happens; plain lines on standard error by default.
        layout: where everything is kept.
        sources: asked in this order; the operator's installation, official downloads, a build by default.

    Raises:
        ToolchainMissingError: no source had a part; names the parts and what can be done.
    """
    layout = layout or Layout.of_this_process()
    try:
        return find_toolchain(layout)
    except ToolchainMissingError:
        progress = progress or LineProgress()
    try:
        with _locked(layout, progress):
            return _find_or_make(layout, sources or _all_sources(layout), progress)
    finally:
        progress.close()


def _all_sources(layout: Layout) -> Sequence[Source]:
    return InstalledParts(), OfficialDownloads(layout.downloaded, layout.home), BuiltParts(layout)


def _locked(layout: Layout, progress: Progress) -> AbstractContextManager[object]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 -- 20 ms that a found toolchain need not pay

    layout.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(layout.lock)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        progress.step(f"Waiting for another process that holds {layout.lock}")
        return lock.acquire()


def _find_or_make(layout: Layout, sources: Sequence[Source], progress: Progress) -> Toolchain:
    try:
        return find_toolchain(layout)
    except ToolchainMissingError:
        write_manifest(layout.manifest, _make(layout, sources, progress))
    return find_toolchain(layout)


def _make(layout: Layout, sources: Sequence[Source], progress: Progress) -> list[Part]:
    parts: dict[str, Part] = {}
    reason = ""
    for source in sources:
        lacking = [spec for spec in PARTS if spec.name not in parts]
        if not lacking:
            break
        cli = parts[CLI.name].path if CLI.name in parts else None
        try:
            found = source.obtain(lacking, cli, progress)
        except SourceError as error:
            reason = str(error)
            continue
        for spec in lacking:
            if spec.name in found:
                parts[spec.name] = Part(spec.name, spec.version, found[spec.name], source.origin)
    lacking = [spec for spec in PARTS if spec.name not in parts]
    if lacking:
        raise ToolchainMissingError((spec.name for spec in lacking), reason)
    for spec in PARTS:
        if spec.plugin:
            _offer(parts[spec.name].path, layout.home / "plugins" / spec.plugin_folder / spec.name)
    return [parts[spec.name] for spec in PARTS]


def _offer(executable: Path, place: Path) -> None:
    """Put a link to the plugin where the engine looks for it, unless it is there itself."""
    if place == executable:
        return
    if place.parent.is_symlink() or place.parent.is_file():
        place.parent.unlink()
    else:
        shutil.rmtree(place.parent, ignore_errors=True)
    place.parent.mkdir(parents=True)
    place.symlink_to(executable)
