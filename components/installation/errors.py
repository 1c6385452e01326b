"""What can go wrong with an installation."""


class InstallationError(Exception):
    """Base of all; the message says what to do. Running again goes on where it makes sense."""


class RescueSilentError(InstallationError):
    """Nobody answers SSH, or the connection was lost: a machine that boots, or none."""


class HostKeyMismatchError(InstallationError):
    """Somebody answers SSH with another host key than the rescue system's. Nothing was sent to it."""
