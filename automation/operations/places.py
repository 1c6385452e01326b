"""What running an operation asks of the place that a workload is at: a node, or a machine of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from api.operations.events import LogLine
from api.plans.document import PlanDocument
from automation.operations.verification import Mismatch

Tell = Callable[[LogLine], None]


class OutOfReach(Exception):  # noqa: N818 - reads as a state, as the errors in api.errors do
    """The place does not answer, or refused.

    Attributes:
        code: stable, for programs.
        is_retryable: time may heal it.
    """

    def __init__(self, code: str, message: str, *, is_retryable: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.is_retryable = is_retryable


@dataclass(frozen=True, slots=True)
class Sight:
    """What is there after an operation.

    Attributes:
        wrong: what is not as it was to be; None if all is well.
    """

    wrong: Mismatch | None = None
    is_running: bool = False


class Place(Protocol):
    """The place of one leased operation. Whatever asks the world blocks."""

    @property
    def deadline_seconds(self) -> float:
        """How long an engine may work before it is interrupted."""

    def environment(self) -> Mapping[str, str]:
        """Return what the engine's providers need to reach the place, credentials included.

        Raises:
            OutOfReach: if we were not told all of it.
        """

    def must_look_first(self, tell: Tell) -> bool:
        """Tell whether the engine has to look at what is really there before it plans."""

    def is_taken(self, plan: PlanDocument) -> bool:
        """Tell whether something of somebody else's sits where the plan would make ours."""

    def prepare(self, tell: Tell) -> None:
        """Do what is to be done just before a plan is applied."""

    def restart(self) -> None:
        """Restart what is there.

        Raises:
            OutOfReach: if it could not be restarted.
        """

    def look(self) -> Sight:
        """See for oneself whether it is as the operation was to make it.

        Raises:
            OutOfReach: if the place does not answer.
        """

    def conclude(self) -> None:
        """Do what is left to do once the operation is verified, before its result is written; may be repeated."""
