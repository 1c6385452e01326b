"""``slipway drift`` and ``slipway orphans``: what scans have found, and a word on it. For staff, by the HTTP API."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape

from automation.cli.client import ApiClient, Json, connect
from automation.cli.errors import CliError
from automation.cli.follow import show_log
from automation.cli.output import facts, moment, print_json, row, status, stdout, table

drift = typer.Typer(help="What is not as it was ordered: look, adopt, revert or ignore.", no_args_is_help=True)
orphans = typer.Typer(
    help="What lacks its counterpart: guests without a row, rows without a guest.", no_args_is_help=True
)

_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_FINDING = Annotated[str, typer.Argument(help="A finding's id, or the end of it: see `slipway drift list`.")]
_ORPHAN = Annotated[str, typer.Argument(help="An orphan's id, or the end of it: see `slipway orphans list`.")]
_REASON = Annotated[str, typer.Option(help="Why, for the audit trail.", prompt=True)]
_WAIT = Annotated[bool, typer.Option("--wait", help="Show the progress until it is done.")]
_WHOLE_ID = 36
_OVER = {"resolved", "removed", "gone"}


@drift.command("scan")
def scan(node: Annotated[str | None, typer.Option(help="Only this node.")] = None) -> None:
    """Have the nodes looked at now, without waiting for their turn."""
    with connect() as client:
        answer = client.post("/admin/drift/scan", {"node": node})
    stdout().print(f"Being looked at: {escape(', '.join(answer['nodes']))}. Then see `slipway drift list`.")


@drift.command("list")
def list_findings(
    *, everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False, as_json: _AS_JSON = False
) -> None:
    """List what differs from what was ordered."""
    with connect() as client:
        found = _current(client, "/admin/drift", everything=everything)
    if as_json:
        print_json(found)
        return
    if not found:
        stdout().print("No drift: everything is as it was ordered.")
        return
    shown = table("FINDING", "SEVERITY", "KIND", "STATUS", "WHAT", "WORKLOAD", "SINCE")
    for item in found:
        what = "; ".join(map(_difference, item["paths"]))
        cells = (item["id"], item["severity"], item["kind"], item["status"], what)
        row(shown, *cells, item["workload_id"], moment(item["first_seen"]))
    stdout().print(shown)


@drift.command("show")
def show(finding: _FINDING, *, as_json: _AS_JSON = False) -> None:
    """Show one finding, with what the engine saw when it looked closer."""
    with connect() as client:
        document = client.get(f"/admin/drift/{_find(client, '/admin/drift', finding)['id']}")
    if as_json:
        print_json(document)
        return
    stdout().print(
        facts(
            [
                ("Finding", escape(document["id"])),
                ("Workload", escape(document["workload_id"])),
                ("Kind", f"{escape(document['kind'])}, {escape(document['severity'])}"),
                ("Status", status(document["status"])),
                ("Seen", f"{document['sightings']} times, last {moment(document['last_seen'])}"),
                *(("Difference", escape(_difference(path))) for path in document["paths"]),
            ]
        )
    )
    if document["steps"] is None:
        stdout().print("The engine has not looked closer yet.")
    for step in document["steps"] or ():
        kind = step["type"].rpartition(":")[2]
        changes = "; ".join(map(_difference, step["changes"]))
        stdout().print(escape(f"{step['op']} {kind} {step['name']} {changes}"), soft_wrap=True)


@drift.command("adopt")
def adopt(finding: _FINDING, *, reason: _REASON, wait: _WAIT = False) -> None:
    """Want what is there from now on; the price stays that of the order."""
    _decide(finding, "adopt", {"reason": reason}, wait=wait)


@drift.command("revert")
def revert(
    finding: _FINDING,
    *,
    reason: _REASON,
    accept_data_loss: Annotated[bool, typer.Option(help="Build a guest that is gone anew, empty.")] = False,
    wait: _WAIT = False,
) -> None:
    """Bring back what was ordered."""
    _decide(finding, "revert", {"reason": reason, "accepts_data_loss": accept_data_loss}, wait=wait)


@drift.command("ignore")
def ignore(
    finding: _FINDING,
    *,
    reason: _REASON,
    days: Annotated[float | None, typer.Option(min=0, help="For so many days; for good without it.")] = None,
    path: Annotated[str | None, typer.Option(help="Only the paths that fit this, such as 'resources.*'.")] = None,
) -> None:
    """Live with it."""
    until = None if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat()
    with connect() as client:
        found = _find(client, "/admin/drift", finding)
        client.post(f"/admin/drift/{found['id']}/ignore", {"reason": reason, "until": until, "path_pattern": path})
    stdout().print("Ignored for good." if until is None else f"Ignored until {moment(until)}.")


@orphans.command("list")
def list_orphans(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that are gone too.")] = False,
    as_json: _AS_JSON = False,
) -> None:
    """List what lacks its counterpart."""
    with connect() as client:
        found = _current(client, "/admin/orphans", everything=everything)
    if as_json:
        print_json(found)
        return
    if not found:
        stdout().print("No orphans: every guest has its row, and every row its guest.")
        return
    shown = table("ORPHAN", "KIND", "WHERE", "WHAT", "STATUS", "SINCE", "REMOVABLE")
    for item in found:
        what = f"{item['subject']} {item['name']}"
        removable = item["refusal"] or "yes"
        kind = item["kind"].replace("_", " ")
        row(shown, item["id"], kind, item["place"], what, item["status"], moment(item["first_seen"]), removable)
    stdout().print(shown)


@orphans.command("remove")
def remove(
    orphan: _ORPHAN,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "removed by staff",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an orphan, after having said what that is."""
    with connect() as client:
        path = f"/admin/orphans/{_find(client, '/admin/orphans', orphan)['id']}/remove"
        planned = client.post(path, {"confirm": False})["orphan"]
        if planned["refusal"]:
            raise CliError(f"this must not be removed: {planned['refusal']}")
        stdout().print(f"This would delete {escape(planned['removes'])}.", soft_wrap=True)
        if dry_run:
            return
        if not yes:
            typer.confirm("Delete it, for ever?", abort=True)
        client.post(path, {"confirm": True, "reason": reason})
    stdout().print("A worker looks once more and deletes it: see `slipway orphans list --all`.")


def _decide(finding: str, verb: str, body: Json, *, wait: bool) -> None:
    with connect() as client:
        found = _find(client, "/admin/drift", finding)
        answer = client.post(f"/admin/drift/{found['id']}/{verb}", body)
        stdout().print(f"{escape(answer['note'])} Operation {answer['operation']['id']} is on its way.", soft_wrap=True)
        if wait:
            show_log(client, answer["operation"]["id"], follow=True)


def _current(client: ApiClient, path: str, *, everything: bool) -> list[Json]:
    return [item for item in client.pages(path) if everything or item["status"] not in _OVER]


def _find(client: ApiClient, path: str, wanted: str) -> Json:
    """Return a thing by its id or the end of it: the beginnings, times, are alike.

    Raises:
        CliError: if nothing ends like that, or several do.
    """
    if len(wanted) >= _WHOLE_ID:
        return {"id": wanted}
    matches = [item for item in client.pages(path) if item["id"].endswith(wanted)]
    if len(matches) != 1:
        raise CliError(f"{'several end' if matches else 'nothing ends'} with '{wanted}': give the whole id")
    return matches[0]


def _difference(path: Json) -> str:
    return f"{path['path']}: {path.get('before')} is {path.get('after')}"
