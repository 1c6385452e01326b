"""Executables for Python parts."""

import subprocess
from pathlib import Path

import pytest

from automation.toolchain.launchers import LAUNCHED, write_launcher
from automation.toolchain.parts import CLOUDFLARE, PARTS
from tests.fakes.toolchain import write_executable


def test_a_launcher_runs_its_module_with_the_given_interpreter(tmp_path: Path) -> None:
    """Whatever its path looks like, with what the engine passes on."""
    python = write_executable(tmp_path / "it's odd" / "python", 'echo "$@"')
    launcher = write_launcher(tmp_path / "bin", CLOUDFLARE, str(python))
    said = subprocess.run([launcher, "127.0.0.1:1", "a b"], capture_output=True, text=True, check=True).stdout
    assert said == "-u -P -m automation.toolchain.plugins.cloudflare 127.0.0.1:1 a b\n"


@pytest.mark.parametrize("spec", [spec for spec in PARTS if spec.name in LAUNCHED], ids=lambda spec: spec.name)
def test_a_launcher_that_is_right_is_left_alone(tmp_path: Path, spec: object) -> None:
    """Its time stays, and with it the record's fingerprint."""
    first = write_launcher(tmp_path, spec).stat()  # type: ignore[arg-type]  # a PartSpec, parametrized
    assert write_launcher(tmp_path, spec).stat() == first  # type: ignore[arg-type]  # as above
