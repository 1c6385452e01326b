"""``slipway platform``: the provider's own stacks, run as from the admin pages. For staff, by the HTTP API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from automation.cli.client import ApiClient, Json, connect
from automation.cli.errors import CliError
from automation.cli.follow import follow_log
from automation.cli.output import facts, moment, print_json, row, status, stdout, table
from automation.cli.plans import print_step

platform = typer.Typer(
    help="The provider's own stacks: preview, plan, approve. (`pulumi` by hand works on the same stacks.)",
    no_args_is_help=True,
)
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_STACK = Annotated[str, typer.Argument(help="A stack's name, such as lab-network: see `slipway platform list`.")]
_RUN = Annotated[str, typer.Argument(help="A run's id, or a stack's name: then its newest run.")]
_FILE = Annotated[
    Path | None,
    typer.Option("--file", help="The new configuration: Pulumi.<stack>.yaml's value of slipway:spec, as YAML."),
]
_REASON = Annotated[str, typer.Option(help="Why, for the log and the audit trail.", prompt=True)]
_REFRESH = Annotated[bool, typer.Option("--refresh", help="Look first at what is really there.")]
_WHOLE_ID = 36


@platform.command("list")
def platform_stacks(*, as_json: _AS_JSON = False) -> None:
    """List the stacks with their last runs."""
    with connect() as client:
        found = client.get("/admin/platform/stacks")
    if as_json:
        print_json(found)
        return
    if found["hint"]:
        stdout().print(escape(f"Nothing can be run from here yet. To change that, {found['hint']}."), soft_wrap=True)
    shown = table("STACK", "KIND", "LAST RUN", "STATUS", "WHEN", "TOLD INVENTORY")
    for stack in found["stacks"]:
        run = stack["last_run"] or {}
        cells = (run.get("action", ""), run.get("status", ""), moment(run.get("created_at")))
        row(shown, stack["name"], stack["kind"] or "", *cells, moment(stack["reported_at"]))
    stdout().print(shown)


@platform.command("show")
def show(run: _RUN, *, as_json: _AS_JSON = False) -> None:
    """Show a run with its plan as a diff."""
    with connect() as client:
        document = _find(client, run)
    if as_json:
        print_json(document)
        return
    _print_run(document)


@platform.command("preview")
def preview(stack: _STACK, *, reason: _REASON, file: _FILE = None, refresh: _REFRESH = False) -> None:
    """Look at what an update would do; changes nothing."""
    _run(stack, {"action": "preview", "reason": reason, "refreshes": refresh}, file)


@platform.command("drift")
def drift(stack: _STACK, *, reason: _REASON) -> None:
    """Look for what has changed behind the state's back; changes nothing."""
    _run(stack, {"action": "refresh", "reason": reason})


@platform.command("apply")
def apply(stack: _STACK, *, reason: _REASON, file: _FILE = None, refresh: _REFRESH = False) -> None:
    """Plan an update; it is applied once another administrator has approved it."""
    _run(stack, {"action": "up", "reason": reason, "refreshes": refresh}, file)


@platform.command("destroy")
def destroy(
    stack: _STACK,
    *,
    reason: _REASON,
    confirm: Annotated[str, typer.Option(help="The stack's name again.", prompt="Type the stack's name to confirm")],
) -> None:
    """Plan the removal of everything in a stack; refused while customers are on it."""
    _run(stack, {"action": "destroy", "reason": reason, "confirmation": confirm})


@platform.command("approve")
def approve(
    run: _RUN,
    *,
    reason: _REASON,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show it, do not ask.")] = False,
) -> None:
    """Approve exactly the plan that is shown, and nothing else."""
    with connect() as client:
        document = _find(client, run)
        plan = _plan_of(document)
        if not yes:
            _print_run(document)
            typer.confirm("Approve this plan?", abort=True)
        answer = client.post(f"/admin/platform/plans/{plan['id']}/approve", {"hash": plan["hash"], "reason": reason})
        stdout().print("Approved: it is on its way." if answer["is_final"] else "Another person has to agree too.")


@platform.command("reject")
def reject(run: _RUN, *, reason: _REASON) -> None:
    """Reject a plan: its run ends, and nothing is changed."""
    with connect() as client:
        plan = _plan_of(_find(client, run))
        client.post(f"/admin/platform/plans/{plan['id']}/reject", {"reason": reason})
    stdout().print("Rejected.")


@platform.command("cancel")
def cancel(run: _RUN, *, reason: _REASON) -> None:
    """End a run early: one that waits at once, a running one after the step it is at."""
    with connect() as client:
        client.post(f"/admin/platform/runs/{_find(client, run)['id']}/cancel", {"reason": reason})
    stdout().print("Its end was asked for.")


@platform.command("logs")
def logs(run: _RUN) -> None:
    """Follow a run's log to its end."""
    with connect() as client:
        follow_log(client, f"/admin/platform/runs/{_find(client, run)['id']}/events", follow=True)


def _run(stack: str, body: Mapping[str, Any], file: Path | None = None) -> None:
    """Ask for a run.

    Raises:
        CliError: if the file cannot be read.
    """
    asked = dict(body)
    if file is not None:
        try:
            asked["configuration"] = file.read_text(encoding="utf-8")
        except OSError as error:
            raise CliError(f"{file} cannot be read: {error.strerror}") from error
    with connect() as client:
        made = client.post(f"/admin/platform/stacks/{stack}/runs", asked)
    stdout().print(f"Run {escape(made['id'])} was asked for: `slipway platform logs {escape(stack)}` follows it.")


def _find(client: ApiClient, run: str) -> Json:
    """Return a run by its id, or a stack's newest.

    Raises:
        CliError: if the stack has never been run.
    """
    if len(run) != _WHOLE_ID or run.count("-") != 4:  # noqa: PLR2004 - a UUID's hyphens
        newest = client.get(f"/admin/platform/stacks/{run}/runs", limit=1)["items"]
        if not newest:
            raise CliError(f"'{run}' has never been run from here: see `slipway platform list`")
        run = newest[0]["id"]
    found: Json = client.get(f"/admin/platform/runs/{run}")
    return found


def _plan_of(run: Json) -> Json:
    plan: Json | None = run["plan"]
    if plan is None:
        raise CliError("this run has no plan yet: wait for its preview")
    return plan


def _print_run(run: Json) -> None:
    out, plan = stdout(), run["plan"]
    lines = [
        ("Run", escape(run["id"])),
        ("Stack", escape(f"{run['stack']}, {run['action']}")),
        ("Status", status(run["status"]) + (f" - {escape(run['error_detail'])}" if run["error_detail"] else "")),
        ("Why", escape(run["reason"])),
        ("Made", moment(run["created_at"])),
    ]
    if run["waits_for"]:
        lines.append(("Waits", escape(run["waits_for"])))
    if plan is not None:
        lines += [("In words", escape(plan["summary"])), ("Until", moment(plan["expires_at"]))]
        lines.append(("Hash", escape(plan["hash"])))
    out.print(facts(lines))
    if run["attention"]:
        out.print(f"\n{escape(run['attention'])}", soft_wrap=True)
    for step in [] if plan is None else plan["steps"]:
        if step["op"] != "same":
            print_step(step)
