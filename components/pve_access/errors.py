"""What can go wrong between a node, its token and the control plane."""


class AccessError(Exception):
    """Base of all; the message is a sentence that says what to do."""


class Refused(AccessError):  # noqa: N818 - what the other side did
    """The other side understood and said no; nothing was changed.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(AccessError):  # noqa: N818 - what it is
    """No answer, or one of a broken server: what was asked for may or may not have been done."""
