"""Shows an operation's log as it grows."""

import time
from contextlib import nullcontext

from rich.markup import escape

from automation.cli.client import ApiClient, Json
from automation.cli.errors import CliError
from automation.cli.output import moment, stderr, stdout

_POLL_SECONDS = 1.0


class OperationFailedError(CliError):
    """An operation ended otherwise than well."""


def operations_of(client: ApiClient, workload_id: str, *, wait: bool) -> list[Json]:
    """A workload's operations, newest first; with ``wait``, not before its order is paid or closed."""
    with stderr().status("Waiting for the payment…") if wait else nullcontext():
        while True:
            workload = client.get(f"/workloads/{workload_id}")
            found = list(client.pages(f"/workloads/{workload_id}/operations"))
            if found or not wait or workload["status"] != "pending_payment":
                return found
            time.sleep(_POLL_SECONDS)


def show_log(client: ApiClient, operation_id: str, *, follow: bool) -> None:
    """Print an operation's lines; with ``follow``, until it has ended.

    Raises:
        OperationFailedError: if it failed, with the API's own words.
    """
    follow_log(client, f"/operations/{operation_id}/events", follow=follow)


def follow_log(client: ApiClient, path: str, *, follow: bool) -> None:
    """Print the lines of the log at ``path``; with ``follow``, until what it is about has ended.

    Raises:
        OperationFailedError: if it failed, with the API's own words.
    """
    out = stdout()
    for kind, document in client.log(path, follow=follow):
        if kind == "line":
            out.print(f"[dim]{moment(document['at'])[11:]}[/]  {escape(document['message'])}", soft_wrap=True)
        else:
            _raise_if_failed(document)


def _raise_if_failed(operation: Json) -> None:
    if operation["status"] != "succeeded":
        reason = operation["error_detail"] or f"the operation was {operation['status']}"
        raise OperationFailedError(f"{reason} ({operation['error_code'] or operation['status']})")
