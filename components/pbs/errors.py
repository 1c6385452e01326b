"""What can go wrong with Proxmox Backup Server."""


class PbsError(Exception):
    """Base of all; the message is a sentence that says what to do."""


class PbsRefused(PbsError):  # noqa: N818 - what the server did
    """The server understood and said no; nothing was changed. ``status`` is of HTTP."""

    def __init__(self, request: str, status: int, message: str) -> None:
        super().__init__(f"the backup server refused {request}: {message.strip()} ({status})")
        self.status = status


class WrongCredentials(PbsError):  # noqa: N818 - what it is
    """The server did not accept the login. It is not tried again in this process."""


class PbsUnreachable(PbsError):  # noqa: N818 - what it is
    """No answer, or one of a broken server: a change may or may not have been made."""
