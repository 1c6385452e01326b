"""``slipway plans``: what waits for an approval, and a word on it. For staff, by the HTTP API."""

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.markup import escape

from automation.cli.client import ApiClient, Json, connect
from automation.cli.errors import CliError
from automation.cli.output import facts, moment, money, print_json, row, status, stdout, table

_MARKS: Mapping[str, str] = {
    "create": "[green]+[/]",
    "update": "[yellow]~[/]",
    "replace": "[bold red]±[/]",
    "delete": "[red]-[/]",
    "same": "[dim]=[/]",
}
_SHOWN = 80
plans = typer.Typer(help="Plans of operations: look at them, approve or reject them.", no_args_is_help=True)
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_PLAN = Annotated[str, typer.Argument(help="A plan's id, or the beginning of it: see `slipway plans list`.")]


@plans.command("list")
def list_plans(
    *, everything: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False, as_json: _AS_JSON = False
) -> None:
    """List the plans that wait for somebody."""
    with connect() as client:
        found = list(client.pages("/admin/plans")) if everything else _waiting(client)
    if as_json:
        print_json(found)
        return
    if not found:
        stdout().print("Nothing waits for an approval.")
        return
    shown = table("PLAN", "STATUS", "WHAT", "A MONTH", "WHY", "UNTIL")
    for plan in found:
        price = money(plan["price_after_cents"], plan["currency"])
        why = "; ".join(plan["approval_reasons"])
        row(shown, plan["id"], plan["status"], plan["summary"], price, why, moment(plan["expires_at"]))
    stdout().print(shown)


@plans.command("show")
def show(plan: _PLAN, *, as_json: _AS_JSON = False) -> None:
    """Show a plan as a diff, with what policy says of it."""
    with connect() as client:
        document = _find(client, plan)
    if as_json:
        print_json(document)
        return
    _print_plan(document)


@plans.command("approve")
def approve(
    plan: _PLAN,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not show it, do not ask.")] = False,
) -> None:
    """Approve exactly the plan that is shown; if anything moves meanwhile, nothing is done."""
    with connect() as client:
        document = _find(client, plan)
        if not yes:
            _print_plan(document)
            typer.confirm("Approve this plan?", abort=True)
        answer = client.post(f"/admin/plans/{document['id']}/approve", {"hash": document["hash"], "reason": reason})
    if answer["is_final"]:
        stdout().print("Approved: it is on its way.")
    else:
        stdout().print("Your approval is kept; another person has to agree too.")


@plans.command("reject")
def reject(plan: _PLAN, reason: Annotated[str, typer.Option(help="Why; the customer reads it.", prompt=True)]) -> None:
    """Reject a plan: the change is withdrawn, an order that cannot be delivered is paid back."""
    with connect() as client:
        document = _find(client, plan)
        client.post(f"/admin/plans/{document['id']}/reject", {"reason": reason})
    stdout().print("Rejected.")


def _waiting(client: ApiClient) -> list[Json]:
    return [plan for plan in client.pages("/admin/plans", status="current") if plan["approvals_needed"]]


def _find(client: ApiClient, plan: str) -> Json:
    """Return a plan by its id or the beginning of it.

    Raises:
        CliError: if none of the plans that wait begins like that, or several do.
    """
    if len(plan) < len("00000000-0000-0000-0000-000000000000"):
        matches = [item["id"] for item in _waiting(client) if item["id"].startswith(plan)]
        if len(matches) != 1:
            many = "several plans that wait begin" if matches else "no plan that waits begins"
            raise CliError(f"{many} with '{plan}': see `slipway plans list`")
        plan = matches[0]
    found: Json = client.get(f"/admin/plans/{plan}")
    return found


def _print_plan(plan: Json) -> None:
    out, before, after = stdout(), plan["price_before_cents"], plan["price_after_cents"]
    price = f"{money(before, plan['currency'])} → {money(after, plan['currency'])} a month"
    out.print(
        facts(
            [
                ("Plan", escape(plan["id"])),
                (
                    "Status",
                    status(plan["status"]) + (f" - {escape(plan['closed_reason'])}" if plan["closed_reason"] else ""),
                ),
                ("In words", escape(plan["summary"])),
                ("Price", escape(price)),
                ("Approvals", f"{len(plan['approvals'])} of {plan['approvals_needed']}"),
                ("Because", escape("; ".join(plan["approval_reasons"])) or "-"),
                ("Until", moment(plan["expires_at"])),
                ("Hash", escape(plan["hash"])),
            ]
        )
    )
    out.print()
    for step in plan["steps"]:
        print_step(step)
    for result in plan["policy"]:
        if not result["passed"]:
            out.print(f"[red]policy[/] {escape(result['rule'])}: {escape(result['message'])}", soft_wrap=True)


def print_step(step: Json) -> None:
    """Print one step of a plan, with what changes."""
    out = stdout()
    kind = step["type"].rpartition(":")[2]
    out.print(f"{_MARKS[step['op']]} {escape(step['op'])} {escape(kind)} [bold]{escape(step['name'])}[/]")
    for change in step["changes"]:
        before, after = _short(change["before"]), _short(change["after"])
        out.print(f"    {escape(change['path'])}: [red]{before}[/] → [green]{after}[/]", soft_wrap=True)


def _short(value: object) -> str:
    text = "(nothing)" if value is None else str(value)
    return escape(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
