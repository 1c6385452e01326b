"""What can go wrong with Robot."""

from collections.abc import Iterable


class RobotError(Exception):
    """Base of all; the message is a sentence that says what to do."""


class RobotRefused(RobotError):  # noqa: N818 - what Robot did
    """Robot understood and said no; nothing was changed.

    Attributes:
        status: of HTTP.
        code: Robot's own, as in ``VSWITCH_IN_PROCESS``.
    """

    def __init__(self, request: str, status: int, code: str, message: str, parameters: Iterable[str] = ()) -> None:
        wrong = ", ".join(parameters)
        super().__init__(f"Robot refused {request}: {message} ({code}{': ' + wrong if wrong else ''})")
        self.status, self.code = status, code


class WrongCredentials(RobotError):  # noqa: N818 - what it is
    """Robot did not accept the login. Nothing more is sent: after three such tries it locks the address out."""


class OutOfRequests(RobotError):  # noqa: N818 - what it is
    """The requests of this hour are used up, by Robot's count or by our own."""


class RobotUnreachable(RobotError):  # noqa: N818 - what it is
    """No answer, or one of a broken server: a change may or may not have been made."""
