"""How the phases of a deployment are laid out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from api.machines.models import DeploymentStatus
from api.web.track import PHASES, Course, StepState, Track, track
from components.specs.machine import DeploymentKind, DeploymentPhase

START = datetime(2026, 11, 28, 10, tzinfo=UTC)
P, S = DeploymentPhase, DeploymentStatus


@dataclass(frozen=True)
class Line:
    """A line of a deployment's log."""

    at: datetime
    phase: DeploymentPhase | None
    message: str = ""


def _line(second: float, phase: DeploymentPhase | None, message: str = "") -> Line:
    return Line(START + timedelta(seconds=second), phase, message)


def _track(
    *lines: Line, kind: DeploymentKind = DeploymentKind.INSTALL, status: DeploymentStatus = S.OPEN, now: float = 60
) -> Track:
    end = START + timedelta(seconds=now)
    return track(Course(kind, status, START, None if status is S.OPEN else end), lines, end)


def _states(found: Track) -> dict[str, str]:
    return {step.phase.value: step.state.value for step in found.steps}


def _seconds(found: Track) -> dict[str, float]:
    return {step.phase.value: step.seconds for step in found.steps if step.seconds is not None}


def test_a_phase_lasts_until_the_next_one_begins() -> None:
    """The current one until now; those ahead have no time yet."""
    found = _track(_line(1, P.POWER), _line(15, P.SCRIPT), _line(20, P.INSPECT), _line(25, P.WRITE))

    assert _seconds(found) == {"power": 14, "script": 5, "inspect": 5, "write": 35}
    assert _states(found)["write"] == "current"
    assert _states(found)["verify"] == "ahead"
    assert (found.number, found.seconds) == (4, 60)


def test_one_that_nobody_told_anything_of_waits_at_its_first_phase() -> None:
    """It is open, and has not been switched on yet."""
    found = _track()

    assert [step.state for step in found.steps][:2] == [StepState.CURRENT, StepState.AHEAD]
    assert found.number == 1


@pytest.mark.parametrize(("status", "state"), [(S.FAILED, "failed"), (S.ABORTED, "stopped")])
def test_it_ends_where_it_was(status: DeploymentStatus, state: str) -> None:
    """The phase that was reached is marked; what lay ahead still does."""
    found = _states(_track(_line(1, P.POWER), _line(9, P.SCRIPT), status=status))

    assert (found["power"], found["script"], found["inspect"]) == ("done", state, "ahead")


def test_what_was_not_gone_through_is_left_out_in_the_end() -> None:
    """An installer tells fewer phases than our own initrd."""
    found = _states(_track(_line(1, P.POWER), _line(9, P.WRITE), _line(50, P.DONE), status=S.SUCCEEDED))

    assert found["script"] == found["verify"] == "skipped"
    assert found["done"] == "done"


def test_a_second_boot_goes_back() -> None:
    """The power was cut while the image was written: what was reached before does not count any more."""
    found = _track(_line(1, P.POWER), _line(9, P.SCRIPT), _line(12, P.INSPECT), _line(20, P.WRITE), _line(40, P.SCRIPT))

    assert _states(found) | {"x": ""} == _states(found) | {"x": "", "script": "current", "write": "ahead"}
    assert _seconds(found) == {"power": 39, "script": 20}


def test_a_phase_that_tells_more_than_once_goes_on() -> None:
    """How much of the image is written; what was said last is shown."""
    found = _track(_line(1, P.WRITE, "10 %"), _line(9, P.WRITE, "20 %"), _line(10, None, "It is slow today."))

    assert _seconds(found) == {"write": 59}
    assert found.saying == "It is slow today."


@pytest.mark.parametrize("kind", DeploymentKind)
def test_every_kind_begins_with_the_power_and_ends_verified(kind: DeploymentKind) -> None:
    """In the order in which a machine goes through them."""
    order = list(DeploymentPhase)
    phases = PHASES[kind]

    assert (phases[0], phases[-1]) == (P.POWER, P.DONE)
    assert list(phases) == sorted(phases, key=order.index)


def test_a_phase_that_its_kind_does_not_have_is_shown_all_the_same() -> None:
    """What a machine tells is not hidden."""
    found = _states(_track(_line(1, P.POWER), _line(2, P.CONFIGURE), kind=DeploymentKind.WIPE))

    assert found["configure"] == "current"


@pytest.mark.parametrize(
    ("said", "percent"), [("Writing: 40 %", 40), ("Reading back: 100%", 100), ("512 bytes", None), ("at 999 %", 100)]
)
def test_a_share_that_was_said_last_is_known(said: str, percent: int | None) -> None:
    """So that a bar can be drawn of it."""
    assert _track(_line(1, P.WRITE, said)).percent == percent
