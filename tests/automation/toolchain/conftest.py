"""A toolchain of small scripts: what finds, records and builds programs does not care what they do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.toolchain.layout import Layout
from automation.toolchain.parts import PARTS
from tests.fakes.scripted_http import ScriptedServer, scripted_server
from tests.fakes.toolchain import FixedSource, write_executable


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Folders of a toolchain that is not there yet."""
    return Layout(tmp_path / "cache", tmp_path / "cache" / "python-test")


@pytest.fixture
def every_part(tmp_path: Path) -> FixedSource:
    """A source that has all parts."""
    return FixedSource("path", {spec.name: write_executable(tmp_path / "installed" / spec.name) for spec in PARTS})


@pytest.fixture
def scripted_http() -> Iterator[ScriptedServer]:
    """An HTTP server that answers as it is told."""
    with scripted_server() as server:
        yield server
