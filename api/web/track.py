"""How far a deployment is, phase by phase, out of what was told of it. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Protocol

from api.machines.models import DeploymentStatus
from components.specs.machine import DeploymentKind, DeploymentPhase

_P = DeploymentPhase
_PERCENT = re.compile(r"\b(\d{1,3}) ?%$")
_ORDER = {phase: number for number, phase in enumerate(DeploymentPhase)}
PHASES: Mapping[DeploymentKind, tuple[DeploymentPhase, ...]] = MappingProxyType(
    {
        DeploymentKind.INSPECT: (_P.POWER, _P.SCRIPT, _P.INSPECT, _P.REBOOT, _P.DONE),
        DeploymentKind.INSTALL: tuple(DeploymentPhase),
        DeploymentKind.WIPE: (_P.POWER, _P.SCRIPT, _P.INSPECT, _P.WRITE, _P.VERIFY, _P.REBOOT, _P.DONE),
        DeploymentKind.RESCUE: (_P.POWER, _P.SCRIPT, _P.INSPECT, _P.CONFIGURE, _P.FIRST_BOOT, _P.DONE),
    }
)
"""What a deployment of each kind is expected to go through; one that goes through another as well shows it, too."""


class StepState(StrEnum):
    """What has become of a phase."""

    DONE = "done"
    CURRENT = "current"
    FAILED = "failed"
    """The deployment ended here."""
    STOPPED = "stopped"
    """It was told to end here."""
    SKIPPED = "skipped"
    """A later one was reached without it."""
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Step:
    """One phase of a track.

    Attributes:
        seconds: from this phase's beginning to the next one's, so far if it is the current one; None if it never began.
    """

    phase: DeploymentPhase
    state: StepState
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """All phases of a deployment.

    Attributes:
        seconds: since the deployment was opened, until it ended.
        saying: what was told last.
    """

    steps: tuple[Step, ...]
    seconds: float
    saying: str = ""

    @property
    def number(self) -> int:
        """Which phase it is at, counted from one; the last one that was reached, if it has ended."""
        reached = [place for place, step in enumerate(self.steps, 1) if step.seconds is not None]
        return reached[-1] if reached else 1

    @property
    def percent(self) -> int | None:
        """How much of its phase is done, if it said so last: the share of an image that is written, or read back."""
        found = _PERCENT.search(self.saying)
        return min(100, int(found[1])) if found else None


class Told(Protocol):
    """A line of a deployment's log."""

    @property
    def at(self) -> datetime:
        """When it was told."""

    @property
    def phase(self) -> DeploymentPhase | None:
        """Which phase begins with it, if one does."""

    @property
    def message(self) -> str:
        """What was told."""


@dataclass(frozen=True, slots=True)
class Course:
    """What has to be known of a deployment itself."""

    kind: DeploymentKind
    status: DeploymentStatus
    created_at: datetime
    finished_at: datetime | None = None


def track(course: Course, told: Sequence[Told], now: datetime) -> Track:
    """Lay out a deployment's phases with their durations.

    A machine that boots again (a power cut, a second try) goes back: the phases behind that are as if never reached.
    Durations are those of the newest pass; ``Track.seconds`` is of all.

    Args:
        course: the deployment.
        told: its log, the oldest line first.
        now: what an open phase is measured against.
    """
    end = course.finished_at or now
    begun = _begun(told)
    reached = max(begun, key=_ORDER.__getitem__, default=None)
    planned = sorted({*PHASES[course.kind], *begun}, key=_ORDER.__getitem__)
    lasted = {
        phase: (next_at - at) / timedelta(seconds=1)
        for (phase, at), (_, next_at) in pairwise([*begun.items(), (None, end)])
        if phase is not None
    }
    steps = tuple(
        Step(
            phase,
            _state(phase, reached or planned[0], course.status, is_begun=phase in begun),
            lasted.get(phase),
        )
        for phase in planned
    )
    return Track(steps, (end - course.created_at) / timedelta(seconds=1), told[-1].message if told else "")


def _begun(told: Iterable[Told]) -> dict[DeploymentPhase, datetime]:
    """Return when each phase of the newest pass began, in their order."""
    begun: dict[DeploymentPhase, datetime] = {}
    for line in told:
        if line.phase is None or next(reversed(begun), None) is line.phase:
            continue
        begun = {phase: at for phase, at in begun.items() if _ORDER[phase] < _ORDER[line.phase]}
        begun[line.phase] = line.at
    return begun


def _state(phase: DeploymentPhase, reached: DeploymentPhase, status: DeploymentStatus, *, is_begun: bool) -> StepState:
    if _ORDER[phase] > _ORDER[reached]:
        return StepState.SKIPPED if status is DeploymentStatus.SUCCEEDED else StepState.AHEAD
    if phase is not reached:
        return StepState.DONE if is_begun else StepState.SKIPPED
    if status is DeploymentStatus.FAILED:
        return StepState.FAILED
    if status is DeploymentStatus.ABORTED:
        return StepState.STOPPED
    is_over = status is DeploymentStatus.SUCCEEDED or phase is DeploymentPhase.DONE
    return StepState.DONE if is_over else StepState.CURRENT
