"""The Go compiler."""

from pathlib import Path

import pytest

from automation.toolchain.go import GoCompiler, find_go
from automation.toolchain.source import SourceError
from tests.fakes.toolchain import RecordingProgress, write_executable, write_go_compiler


def test_the_compiler_on_path_goes_first(tmp_path: Path) -> None:
    """The operator's choice."""
    program = write_executable(tmp_path / "go")
    assert find_go({"PATH": str(tmp_path)}) == program


def test_a_build_tells_each_package_and_makes_a_stripped_program(tmp_path: Path) -> None:
    """From exactly the module's pinned versions."""
    progress, output = RecordingProgress(), tmp_path / "program"
    GoCompiler(write_go_compiler(tmp_path / "go")).build(tmp_path, ["./cmd/one"], output, progress, ldflags="-s")
    assert progress.details == ["some/package"]
    assert output.exists()
    arguments = (tmp_path / "go.log").read_text("utf-8")
    assert "-trimpath" in arguments
    assert "-mod=readonly" in arguments
    assert "-ldflags -s" in arguments


def test_a_failed_build_shows_what_the_compiler_said_last(tmp_path: Path) -> None:
    """An operator can act on that."""
    compiler = GoCompiler(write_go_compiler(tmp_path / "go", "echo 'x.go:1: no such thing' >&2; exit 1"))
    with pytest.raises(SourceError, match=r"(?s)go build ./cmd/one.*x\.go:1: no such thing"):
        compiler.build(tmp_path, ["./cmd/one"], tmp_path / "program", RecordingProgress())
