"""The command."""

from pathlib import Path

import pytest

from automation.toolchain.__main__ import main


def test_doctor_fails_where_parts_are_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that scripts can ask it."""
    monkeypatch.setenv("SLIPWAY_CACHE_DIR", str(tmp_path))
    assert main(["doctor"]) == 1
    assert "missing" in capsys.readouterr().out


@pytest.mark.engine
@pytest.mark.usefixtures("engine_toolchain")
def test_ensuring_and_asking_the_doctor_succeed_where_all_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """With the real toolchain."""
    assert main([]) == 0
    assert main(["doctor"]) == 0
    assert "3.259.0" in capsys.readouterr().out
