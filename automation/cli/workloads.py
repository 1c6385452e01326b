"""``slipway list``, ``show``, ``logs``, ``start``, ``stop``, ``reboot``, ``cancel`` and ``abort``."""

from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape

from automation.cli.client import ApiClient, Json, connect
from automation.cli.errors import CliError
from automation.cli.follow import operations_of, show_log
from automation.cli.output import facts, moment, print_json, resources, status, stdout, table

Name = Annotated[str, typer.Argument(help="A server's name, as in `slipway list`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Wait = Annotated[bool, typer.Option("--wait", help="Show the progress until it is done.")]
_NEWEST_CHANGES = 8


def list_workloads(
    *, everything: Annotated[bool, typer.Option("--all", help="Deleted ones too.")] = False, as_json: AsJson = False
) -> None:
    """List your servers."""
    with connect() as client:
        found = [item for item in client.pages("/workloads") if everything or item["status"] != "deleted"]
    if as_json:
        print_json(found)
        return
    if not found:
        stdout().print("No servers yet. See `slipway catalogue`, then `slipway order`.")
        return
    shown = table("NAME", "KIND", "STATUS", "IPV4", "IPV6", "ADDRESS")
    for item in found:
        cells = (item["name"], item["kind"].replace("_", " "))
        addresses = (item["ipv4"], item["ipv6"], item["fqdn"])
        shown.add_row(*map(escape, cells), status(item["status"]), *map(escape, addresses))
    stdout().print(shown)


def show(name: Name, *, as_json: AsJson = False) -> None:
    """Show one server: its addresses, its state and what happened to it."""
    with connect() as client:
        workload = find_workload(client, name)
        history = list(client.pages(f"/workloads/{workload['id']}/history"))
    if as_json:
        print_json({**workload, "history": history})
        return
    print_workload(workload)
    stdout().print("\n[bold]What happened[/]")
    changes = table("WHEN", "STATUS", "WHY")
    for change in history[:_NEWEST_CHANGES]:
        changes.add_row(moment(change["at"]), status(change["to_status"]), escape(change["reason"]))
    stdout().print(changes)


def logs(
    name: Name, *, follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the operation ends.")] = False
) -> None:
    """Show what the newest operation on a server does, or did."""
    with connect() as client:
        operations = operations_of(client, find_workload(client, name)["id"], wait=follow)
        if not operations:
            raise CliError("nothing has been done: the order was not paid")
        show_log(client, operations[0]["id"], follow=follow)


def start(name: Name, *, wait: Wait = False) -> None:
    """Start a stopped server."""
    _act(name, "start", "it runs already", wait=wait)


def stop(name: Name, *, wait: Wait = False) -> None:
    """Shut a running server down."""
    _act(name, "stop", "it is stopped already", wait=wait)


def reboot(name: Name, *, wait: Wait = False) -> None:
    """Restart a running server."""
    _act(name, "reboot", "nothing to do", wait=wait)


def cancel(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = False,
) -> None:
    """Remove a server with its disk, addresses and DNS records, for ever."""
    if not yes:
        typer.confirm(f"Remove {name} and everything on it, for ever?", abort=True)
    _act(name, "cancel", "cancelled; there was nothing to remove", wait=wait)


def abort(name: Name) -> None:
    """End what is being done to a server, even a removal; what has not begun is as if it was never asked for."""
    with connect() as client:
        workload = find_workload(client, name)
        operations = operations_of(client, workload["id"], wait=False)
        if not operations or operations[0]["finished_at"] is not None:
            raise CliError(f"nothing is being done to {name}")
        operation = client.post(f"/operations/{operations[0]['id']}/cancel")
    if operation["status"] == "running":
        stdout().print(f"{escape(name)}: it ends after the step it is at. Watch it: slipway logs {escape(name)} -f")
    else:
        stdout().print(f"{escape(name)}: ended; nothing had been done yet.")


def find_workload(client: ApiClient, name: str) -> Json:
    """The caller's workload of that name or id; of several, the one that still exists.

    Raises:
        CliError: if there is none.
    """
    try:
        found: Json = client.get(f"/workloads/{UUID(name)}")
    except ValueError:
        candidates = list(client.pages("/workloads", name=name))
        if not candidates:
            raise CliError(f"you have no server named '{name}': see `slipway list`") from None
        found = min(candidates, key=lambda item: item["status"] == "deleted")
    return found


def print_workload(workload: Json) -> None:
    """Print a workload's facts."""
    ports = ", ".join(map(_port, workload["open_ports"]))
    stdout().print(
        facts(
            [
                ("Name", escape(workload["name"])),
                ("Kind", escape(workload["kind"].replace("_", " "))),
                ("Status", status(workload["status"]) + _attention(workload)),
                ("Address", escape(workload["fqdn"])),
                ("IPv4", escape(workload["ipv4"])),
                ("IPv6", escape(f"{workload['ipv6']} ({workload['ipv6_network']})")),
                ("Open ports", escape(ports) or "none"),
                ("Resources", escape(resources(workload["resources"]))),
                *_where(workload),
                ("Ordered", moment(workload["created_at"])),
            ]
        )
    )


def _where(workload: Json) -> list[tuple[str, str]]:
    """On which node it is, or which machine it has and what is on that."""
    machine = workload["machine"]
    if machine is None:
        return [("Node", escape(workload["node"]))]
    system = f"{machine['image']} ({machine['layout']}), user {machine['user']}"
    return [
        ("Machine", escape(machine["name"])),
        ("System", escape("the rescue system" if machine["rescue"] else system)),
    ]


def _port(rule: Json) -> str:
    """A rule of the firewall, as ``25565/tcp (game)``."""
    last = "" if rule["last"] == rule["first"] else f"-{rule['last']}"
    comment = f" ({rule['comment']})" if rule["comment"] else ""
    return f"{rule['first']}{last}/{rule['protocol']}{comment}"


def _attention(workload: Json) -> str:
    return f" - {escape(workload['attention'])}" if workload["attention"] else ""


def _act(name: str, verb: str, otherwise: str, *, wait: bool) -> None:
    with connect() as client:
        workload = find_workload(client, name)
        operation = client.post(f"/workloads/{workload['id']}/{verb}")
        show_begun(client, name, verb, operation, otherwise=otherwise, wait=wait)


def show_begun(  # noqa: PLR0913 - what there is to say
    client: ApiClient, name: str, verb: str, operation: Json | None, *, otherwise: str = "nothing to do", wait: bool
) -> None:
    """Say that a verb's operation has begun, or follow it to its end if one ``wait``s for it."""
    if operation is None:
        stdout().print(f"{escape(name)}: {otherwise}.")
    elif wait:
        show_log(client, operation["id"], follow=True)
    else:
        stdout().print(f"{escape(name)}: {verb} has begun. Watch it: slipway logs {escape(name)} --follow")
