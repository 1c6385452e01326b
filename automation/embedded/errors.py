"""What can go wrong with an embedded system. Every message says what to do, and is all that a user needs to see."""


class EmbeddedError(Exception):
    """Base of the expected failures."""


class HomeError(EmbeddedError):
    """The folder cannot be used, or another process uses it."""


class StartError(EmbeddedError):
    """The system cannot be started as asked."""


class EstateError(EmbeddedError):
    """The estate document cannot be used; the message names the field."""
