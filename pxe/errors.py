"""What can go wrong while the engine makes a machine what was ordered.

A message is a sentence and ends in ``(metal/CODE)``, or ``(metal/CODE, again)`` where the same may succeed later
without anybody's doing: all that reaches the worker through the engine is text, and it reads these marks
(``automation.engine.errors``).
"""

from typing import ClassVar


class MetalError(Exception):
    """Base of all; the message says what to do and holds no secret.

    Attributes:
        code: for programs.
        is_retryable: whether the same may succeed later.
    """

    code: ClassVar[str] = "failed"
    is_retryable: bool = False

    def __init__(self, sentence: str, *, is_retryable: bool | None = None) -> None:
        if is_retryable is not None:
            self.is_retryable = is_retryable
        self.sentence = sentence
        super().__init__(f"{sentence} (metal/{self.code}{', again' if self.is_retryable else ''})")


class BadMetalSettings(MetalError):  # noqa: N818 - what they are
    """The environment does not say where the machine API is, or how long to wait; names the variable."""

    code = "settings"


class ApiUnreachable(MetalError):  # noqa: N818 - what it is
    """The machine API gave no answer, or is broken: a change may or may not have been made."""

    code = "api_unreachable"
    is_retryable = True


class ApiRefused(MetalError):  # noqa: N818 - what it did
    """The machine API understood and said no; nothing was changed.

    Attributes:
        status: of HTTP.
        reason: the API's own code.
    """

    code = "refused"

    def __init__(self, sentence: str, status: int, reason: str) -> None:
        super().__init__(sentence)
        self.status, self.reason = status, reason


class GrantVoid(ApiRefused):
    """The grant is not, or no longer, good: the operation has ended, or another worker goes on with it."""

    code = "grant_void"


class NotWiped(ApiRefused):
    """The wipe gate: nothing proves that the machine is empty."""

    code = "not_wiped"


class WrongMachine(MetalError):  # noqa: N818 - what it is
    """Another machine answers than the one that is held. No disk was touched."""

    code = "wrong_machine"


class InQuarantine(MetalError):  # noqa: N818 - where it is
    """The machine is in quarantine; a person decides what becomes of it."""

    code = "quarantined"


class BmcFailed(MetalError):  # noqa: N818 - what it did
    """The BMC does not answer, does not obey, or cannot do what is needed."""

    code = "bmc"


class BmcCannot(BmcFailed):
    """What is needed is not offered: some machines cannot be switched off, and say so."""


class DeploymentFailed(MetalError):  # noqa: N818 - what it did
    """The machine, or somebody who watches it, has given the deployment up."""

    code = "deployment_failed"


class PhaseOverdue(MetalError):  # noqa: N818 - what it is
    """The machine stayed longer in a phase than it may."""

    code = "phase_overdue"


class Cancelled(MetalError):  # noqa: N818 - what was done to it
    """The operation was cancelled; the machine is switched off and its deployment is over."""

    code = "cancelled"
