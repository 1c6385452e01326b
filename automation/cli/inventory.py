"""``slipway inventory``: what the platform stacks have told, held against their state; nodes drained and taken back."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from automation.cli.client import ApiClient, Json, connect
from automation.cli.credentials import Credentials
from automation.cli.errors import ApiError, CliError
from automation.cli.output import moment, print_json, row, stdout, table

if TYPE_CHECKING:
    from components.specs.platform import StackReport

inventory = typer.Typer(help="The provider's own estate, as the platform stacks tell of it.", no_args_is_help=True)

_STACKS = Annotated[list[str] | None, typer.Argument(help="Such as lab-nodes; all that are up by default.")]
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_NODE = Annotated[str, typer.Argument(help="The node's name.")]
_REASON = Annotated[str, typer.Option(help="Why, for the audit trail.", prompt=True)]
_STATE = "SLIPWAY_STATE_DATABASE_URL"


class Purpose(StrEnum):
    """What a token is for; it can do nothing else."""

    SYNC = "sync"
    METRICS = "metrics"


_SCOPE_OF = {Purpose.SYNC: "inventory:sync", Purpose.METRICS: "inventory:read"}


@inventory.command("sync")
def sync(
    stacks: _STACKS = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Tell Inventory what the state says of platform stacks, as they do themselves at their end."""
    failed = 0
    with _syncing() as client:
        for stack, report in _reports(stacks):
            try:
                answer = client.put(_path(stack) + ("?dry_run=true" if dry_run else ""), report.model_dump(mode="json"))
            except ApiError as error:
                failed += 1
                stdout().print(f"{stack}: {error}", markup=False, soft_wrap=True)
                continue
            _say_changes(stack, answer["changes"], "would change" if dry_run else "changed")
    if failed:
        raise CliError(f"{failed} of the stacks were refused: see above")


@inventory.command("show")
def show(*, as_json: _AS_JSON = False) -> None:
    """Show which stacks have told what, and the nodes with their states."""
    with _syncing() as client:
        stacks, nodes = client.get("/inventory/stacks"), client.get("/inventory/nodes")
    if as_json:
        print_json({"stacks": stacks, "nodes": nodes})
        return
    shown = table("STACK", "TOLD", "AS TOLD", "THINGS")
    for stack in stacks:
        things = ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in stack["counts"].items() if count)
        row(shown, stack["stack"], moment(stack["reported_at"]), "yes" if stack["is_as_told"] else "no", things or "-")
    stdout().print(shown)
    shown = table("NODE", "CLASS", "SITE", "STATE", "GUESTS", "CREDENTIAL", "STACK")
    for node in nodes:
        credential = "deposited" if node["has_credential"] else "missing"
        cells = (node["name"], node["node_class"], node["site"], node["state"], node["guests"], credential)
        row(shown, *cells, node["stack"] or "-")
    stdout().print(shown)


@inventory.command("drift")
def drift(stacks: _STACKS = None) -> None:
    """Hold what the state says against what Inventory holds; ends with 1 if they differ."""
    found = 0
    with _syncing() as client:
        told = dict(_reports(stacks))
        known = {one["stack"] for one in client.get("/inventory/stacks")}
        wanted = told.keys() | (known if not stacks else known & set(stacks))
        for stack in sorted(wanted):
            held = client.get(_path(stack))["held"] if stack in known else {}
            report = told[stack].model_dump(mode="json") if stack in told else {}
            for line in differences(held, report):
                found += 1
                stdout().print(f"{stack}: {line}", markup=False, soft_wrap=True)
    if found:
        raise CliError(f"{found} differences: `pulumi up --refresh` of a stack, or `slipway inventory sync`, ends them")
    stdout().print("State and Inventory agree.")


@inventory.command("drain")
def drain(node: _NODE, reason: _REASON) -> None:
    """Give a node no new guests; those that it has stay until they are moved or cancelled."""
    _move(node, "drain", reason)


@inventory.command("activate")
def activate(node: _NODE, reason: _REASON) -> None:
    """Give a node that is being drained new guests again."""
    _move(node, "activate", reason)


@inventory.command("retire")
def retire(node: _NODE, reason: _REASON) -> None:
    """Take an empty node, which no stack describes, out of use for good."""
    _move(node, "retire", reason)


@inventory.command("token")
def token(
    name: Annotated[str, typer.Argument(help="What the token is called in the account's list.")] = "platform stacks",
    purpose: Annotated[Purpose, typer.Option("--for", help="What it is for.")] = Purpose.SYNC,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="How long it holds; for ever by default.")] = None,
) -> None:
    """Make a token that can do one thing alone, and print it, this once: SLIPWAY_INVENTORY_TOKEN of the engine."""
    expires_at = None if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat()
    with connect() as client:
        body = {"name": name, "scopes": [_SCOPE_OF[purpose]], "expires_at": expires_at}
        stdout().print(client.post("/tokens", body)["token"], markup=False, soft_wrap=True)


def differences(held: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """Return what Inventory holds otherwise than the state says, a line a thing."""
    found = []
    for part in sorted(held.keys() | told.keys()):
        before, after = held.get(part), told.get(part)
        if before == after:
            continue
        if not isinstance(before or after, list):
            found.append(f"{part}: Inventory has {before!r}, the state {after!r}")
            continue
        ours, theirs = _by_name(before or []), _by_name(after or [])
        others = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
        found += [f"{part} {name}: {_difference(ours.get(name), theirs.get(name))}" for name in others]
    return found


def _difference(held: Json | None, told: Json | None) -> str:
    if held is None:
        return "Inventory does not have it"
    if told is None:
        return "Inventory has it, the state does not"
    names = [name for name in sorted(held.keys() | told.keys()) if held.get(name) != told.get(name)]
    return "; ".join(f"{name}: Inventory has {held.get(name)!r}, the state {told.get(name)!r}" for name in names)


def _by_name(entries: list[Json]) -> dict[str, Json]:
    return {str(entry.get("slug") or entry["name"]): entry for entry in entries}


def _move(node: str, verb: str, reason: str) -> None:
    with connect() as client:
        made = client.post(f"/admin/inventory/nodes/{node}/{verb}", {"reason": reason})
    stdout().print(f"Node {escape(made['name'])} is {made['state']}, with {made['guests']} guests.")


def _say_changes(stack: str, changes: Mapping[str, Any], verb: str) -> None:
    if not changes:
        stdout().print(f"{stack}: nothing {verb}", markup=False)
    for thing, fields in changes.items():
        stdout().print(f"{stack}: {verb} {thing} ({', '.join(fields)})", markup=False, soft_wrap=True)


def _after_sites(stack: str) -> tuple[bool, str]:
    """Order stacks so that those that tell of sites come before those whose things are at them."""
    return not stack.endswith("-network"), stack


def _path(stack: str) -> str:
    return f"/inventory/stacks/{stack}"


@contextmanager
def _syncing() -> Iterator[ApiClient]:
    """Connect as the engine does, if its variables are set; else as whoever is logged in."""
    url, token = os.environ.get("SLIPWAY_INVENTORY_URL"), os.environ.get("SLIPWAY_INVENTORY_TOKEN")
    with ApiClient(Credentials(url.rstrip("/"), token)) if url and token else connect() as client:
        yield client


def _reports(wanted: list[str] | None) -> "list[tuple[str, StackReport]]":
    """Read the reports of the stacks that are wanted from the state."""
    from api.errors import SlipwayError  # noqa: PLC0415 - the customers' verbs need no database
    from api.state.store import StateStore  # noqa: PLC0415 - see above
    from automation.state.reports import platform_reports  # noqa: PLC0415 - see above

    if not os.environ.get(_STATE):
        raise CliError(f"set {_STATE} in the environment")
    try:
        with closing(StateStore(os.environ[_STATE])) as states:
            found = dict(platform_reports(states))
    except (SlipwayError, ValueError) as error:
        raise CliError(str(error)) from error
    for stack in wanted or ():
        if stack not in found:
            raise CliError(f"no platform stack '{stack}' is up: `pulumi stack ls` lists those that are")
    reports = []
    for stack in sorted(wanted or found, key=_after_sites):
        report = found[stack]
        if isinstance(report, str):
            raise CliError(f"{stack}: {report}")
        reports.append((stack, report))
    return reports
