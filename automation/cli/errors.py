"""Expected failures: shown as one clear sentence, never as a traceback."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from typer import Exit
from typer.core import TyperGroup

from automation.cli.output import stderr


class CliError(Exception):
    """The command was refused or failed; the message says why and what to do. The process exits with 1."""


class ApiError(CliError):
    """The API's problem document (RFC 9457).

    Attributes:
        code: stable, for programs.
        retryable: whether the same request may succeed later.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", f"http_{status}"))
        self.retryable = bool(problem.get("retryable", status >= 500))  # noqa: PLR2004 - HTTP's server errors
        super().__init__(_sentence(status, self.code, problem))


def _sentence(status: int, code: str, problem: Mapping[str, Any]) -> str:
    fields = [f"{error['field']}: {error['detail']}" for error in problem.get("errors", [])]
    said = "; ".join(fields) or str(problem.get("detail") or problem.get("title") or f"the API answered {status}")
    request = f", request {problem['request_id']}" if "request_id" in problem else ""
    return f"{said} ({code}{request})"


class Commands(TyperGroup):
    """The command group that shows expected failures and turns them into exit status 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except CliError as error:
            stderr().print(f"[bold red]Error:[/] {escape(str(error))}", soft_wrap=True)
            raise Exit(1) from None
