"""Errors as the server reports them: a status and a line of text."""


class ApiError(Exception):
    """One error. Everything that a client got wrong is 400, unless it is about who it is or what it may do."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


def wrong_parameter(name: str, problem: str) -> ApiError:
    """The error for one parameter."""
    return ApiError(f"parameter verification failed - '{name}': {problem}")
