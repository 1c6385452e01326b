"""The units of API, worker and timetable, by systemd's own tools."""

import shutil
from pathlib import Path

import pytest

from components.platform.control_plane import databases
from components.platform.control_plane.units import HOME, settings, units
from components.specs.platform.control_plane import ControlPlaneSpec, Role
from tests.fixtures.platform_tools import run, tool

MOST_EXPOSED = 20
"""Tenths of what ``systemd-analyze security`` calls exposure: 2.0 of 10; a service without any guard has 9.6."""
PROGRAMS = (f"{HOME}/.venv/bin/python", f"{HOME}/.venv/bin/slipway", "/usr/bin/curl", "/usr/bin/pgbackrest")


def installed(spec: ControlPlaneSpec, role: Role, root: Path) -> list[str]:
    """Put a first server's units below a root with systemd's own, and return their names."""
    server = next(server for _, kind, server in spec.servers() if kind is role)
    made = {**units(spec, role, server), **(databases.backup_units() if role is Role.POSTGRES else {})}
    place = root / "etc/systemd/system"
    place.mkdir(parents=True)
    for name, text in made.items():
        (place / name).write_text(text)
    shutil.copytree("/lib/systemd/system", root / "lib/systemd/system", symlinks=True)
    for program in PROGRAMS:
        path = root / program.removeprefix("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    return sorted(made)


@pytest.mark.parametrize("role", [Role.API, Role.WORKER, Role.POSTGRES])
def test_systemd_knows_every_word_of_the_units(spec: ControlPlaneSpec, role: Role, tmp_path: Path) -> None:
    """Nothing is misspelt, every program and every unit that is named is there; systemd says nothing at all."""
    tool("systemd-analyze")
    names = installed(spec, role, tmp_path)
    assert run("systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", *names) == ""


def test_a_misspelt_word_is_found(spec: ControlPlaneSpec, tmp_path: Path) -> None:
    """The test above would see it."""
    tool("systemd-analyze")
    installed(spec, Role.API, tmp_path)
    unit = tmp_path / "etc/systemd/system/slipway-api.service"
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSytem="))
    said = run("systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", unit.name)
    assert "'ProtectSytem' in section" in said


@pytest.mark.parametrize("role", [Role.API, Role.WORKER])
def test_services_are_shut_in(spec: ControlPlaneSpec, role: Role, tmp_path: Path) -> None:
    """By systemd's own measure."""
    tool("systemd-analyze")
    for name in installed(spec, role, tmp_path):
        if name.endswith(".service"):
            options = ("--offline=yes", f"--root={tmp_path}", "--no-pager", f"--threshold={MOST_EXPOSED}")
            run("systemd-analyze", "security", *options, name)


def test_the_schema_comes_first_and_the_timetable_runs_once(spec: ControlPlaneSpec) -> None:
    """Only the first API server migrates, only the first worker has the timetable."""
    first, second = (units(spec, Role.API, server) for server in spec.api)
    assert "Requires=slipway-migrate.service" in first["slipway-api.service"]
    assert "slipway-migrate" not in "".join([*second, *second.values()])
    assert ["slipway-beat.service" in units(spec, Role.WORKER, server) for server in spec.workers] == [True, False]


def test_a_worker_is_given_longer_to_end_than_an_operation_may_take(spec: ControlPlaneSpec) -> None:
    """Else an upgrade would kill the engine in the middle of a step."""
    from api.settings import WorkerSettings  # noqa: PLC0415 - only this test compares the two

    deadline = WorkerSettings.model_fields["operation_deadline_seconds"].default
    unit = units(spec, Role.WORKER, spec.workers[0])["slipway-worker.service"]
    (stop,) = [line for line in unit.splitlines() if line.startswith("TimeoutStopSec=")]
    assert int(stop.partition("=")[2]) > deadline


def test_settings_are_quoted_for_systemd(spec: ControlPlaneSpec) -> None:
    """A value with blanks, quotes or a dollar reaches the service as it is written."""
    odd = spec.model_copy(update={"settings": {"SLIPWAY_X": 'a "b" $c \\d'}})
    assert settings(odd).splitlines()[0] == 'SLIPWAY_X="a \\"b\\" \\$c \\\\d"'
