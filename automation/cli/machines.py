"""``slipway machine``: the pool of dedicated machines. For staff, by the HTTP API."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
import yaml
from rich.markup import escape

from automation.cli.client import ApiClient, Json, connect
from automation.cli.errors import ApiError, CliError
from automation.cli.output import facts, memory, moment, print_json, row, status, stdout, table

machines = typer.Typer(
    help="The pool of dedicated machines: enroll, inspect, quarantine, release, retire.", no_args_is_help=True
)

_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_MACHINE = Annotated[str, typer.Argument(help="The machine's name.")]
_REASON = Annotated[str, typer.Option(help="Why, for the audit trail.", prompt=True)]
_PATH = "/admin/machines"


class Switch(StrEnum):
    """What can be done to a machine's power."""

    ON = "on"
    OFF = "off"
    CYCLE = "cycle"


@machines.command("list")
def list_machines(
    *,
    state: Annotated[str | None, typer.Option(help="Only machines in this state.")] = None,
    machine_class: Annotated[str | None, typer.Option("--class", help="Only machines of this class.")] = None,
    as_json: _AS_JSON = False,
) -> None:
    """List the machines of the pool."""
    wanted = {"state": state, "machine_class": machine_class}
    with connect() as client:
        found = list(client.pages(_PATH, **{name: value for name, value in wanted.items() if value}))
    if as_json:
        print_json(found)
        return
    shown = table("MACHINE", "CLASS", "SITE", "STATE", "SINCE", "RACK", "WORKLOAD", "WHY")
    for one in found:
        cells = (one["name"], one["machine_class"], one["site"], one["state"], moment(one["state_at"]), one["rack"])
        row(shown, *cells, one["workload_id"] or "-", one["state_reason"])
    stdout().print(shown)


@machines.command("show")
def show(machine: _MACHINE, *, as_json: _AS_JSON = False) -> None:
    """Show a machine with its newest deployment."""
    with connect() as client:
        found = client.get(f"{_PATH}/{machine}")
    if as_json:
        print_json(found)
        return
    stdout().print(facts(_facts_of(found)))
    if found["deployment"]:
        stdout().print(facts(_deployment_facts(found["deployment"])))


@machines.command("enroll")
def enroll(
    file: Annotated[Path, typer.Argument(help="YAML with a machine, or a list of them.", exists=True, dir_okay=False)],
) -> None:
    """Tell the pool of machines; each is offered after `inspect`. Passwords can follow by `password`."""
    told = _read(file)
    failed = 0
    with connect() as client:
        for entry in told:
            try:
                made = client.post(_PATH, entry)
            except ApiError as error:
                failed += 1
                stdout().print(f"{entry.get('name', '?')}: {error}", markup=False, soft_wrap=True)
            else:
                stdout().print(f"{made['name']}: {made['state']}, waits for its inspection", markup=False)
    if failed:
        raise CliError(f"{failed} of {len(told)} machines were refused: see above")


@machines.command("password")
def password(machine: _MACHINE) -> None:
    """Deposit the password of a machine's BMC, which is asked for; it is kept sealed."""
    given = typer.prompt("Password", hide_input=True)
    with connect() as client:
        client.put(f"{_PATH}/{machine}/credential", {"password": given})
    stdout().print(f"The password of the BMC of {escape(machine)} is deposited.")


@machines.command("inspect")
def inspect(machine: _MACHINE, reason: _REASON) -> None:
    """Have a machine that nobody uses inspected, then wiped and offered."""
    _begin(machine, "inspect", reason)


@machines.command("release")
def release(machine: _MACHINE, reason: _REASON) -> None:
    """Bring a machine back from quarantine: it is inspected, wiped and offered."""
    _begin(machine, "release", reason)


@machines.command("quarantine")
def quarantine(
    machine: _MACHINE,
    reason: _REASON,
    *,
    affects_customer: Annotated[
        bool, typer.Option("--affects-customer", help="Yes, although a customer has it.")
    ] = False,
) -> None:
    """Take a machine out of use until a person decides otherwise."""
    body = {"reason": reason, "affects_customer": affects_customer}
    with connect() as client:
        made = client.post(f"{_PATH}/{machine}/quarantine", body)
    stdout().print(f"Machine {escape(made['name'])} is in {made['state']}.")


@machines.command("retire")
def retire(machine: _MACHINE, reason: _REASON) -> None:
    """Take a machine out of the pool that is gone from the racks; what proves that it was wiped is kept."""
    with connect() as client:
        client.delete(f"{_PATH}/{machine}?{urlencode({'reason': reason})}")
    stdout().print(f"Machine {escape(machine)} is out of the pool.")


@machines.command("power")
def power(
    machine: _MACHINE, verb: Annotated[Switch, typer.Argument(help="What to do, by force.")], reason: _REASON
) -> None:
    """Switch a machine on or off by its BMC; what came of it is in the audit trail (`slipway audit`)."""
    with connect() as client:
        client.post(f"{_PATH}/{machine}/power/{verb.value}", {"reason": reason})
    stdout().print(f"Asked the BMC of {escape(machine)}: {verb.value}.")


@machines.command("events")
def events(
    machine: _MACHINE,
    *,
    console: Annotated[bool, typer.Option("--console", help="What the machine printed, in place of the log.")] = False,
) -> None:
    """Show the log of a machine's newest deployment."""
    with connect() as client:
        newest = client.get(f"{_PATH}/{machine}")["deployment"]
        if newest is None:
            raise CliError(f"machine '{machine}' was never booted for anything")
        path = f"{_PATH}/{machine}/deployments/{newest['id']}/{'console' if console else 'events'}"
        for piece in _all(client, path):
            if console:
                stdout().print(_printable(piece["text"]), markup=False, soft_wrap=True, end="")
            else:
                phase = piece["phase"] or "-"
                stdout().print(f"{moment(piece['at'])}  {phase:<10}  {piece['message']}", markup=False, soft_wrap=True)


def _all(client: ApiClient, path: str) -> list[Json]:
    found: list[Json] = []
    while pieces := client.get(path, after=found[-1]["id"] if found else 0):
        found += pieces
    return found


def _begin(machine: str, verb: str, reason: str) -> None:
    with connect() as client:
        client.post(f"{_PATH}/{machine}/{verb}", {"reason": reason})
    stdout().print(f"Machine {escape(machine)} is being inspected: `slipway machine events {escape(machine)}`.")


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CliError(f"{file}: {error}") from error
    entries = document if isinstance(document, list) else [document]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise CliError(f"{file}: give a machine as a mapping, or a list of them")
    return entries


def _facts_of(found: Json) -> list[tuple[str, str]]:
    disks = f"{found['disk_count']} disks of {found['disk_gib']} GiB"
    hardware = f"{found['cores']} cores, {memory(found['memory_mib'])}, {disks}"
    written = "nothing" if found["is_wiped"] else "perhaps something"
    bmc = f"{found['bmc_driver']} at {found['bmc_address']} {found['bmc_system']}".rstrip()
    installed = found["installed"] or {}
    return [
        ("machine", f"{escape(found['name'])} ({escape(found['machine_class'])} at {escape(found['site'])})"),
        ("state", f"{status(found['state'])} since {moment(found['state_at'])}: {escape(found['state_reason'])}"),
        ("serial", escape(found["serial"])),
        ("hardware", hardware),
        ("cards", escape(", ".join(found["macs"]))),
        ("place", escape(f"{found['rack'] or '-'}, port {found['switch_port'] or '-'}, VLAN {found['vlan'] or '-'}")),
        ("BMC", escape(f"{bmc}, password {'deposited' if found['has_credential'] else 'missing'}")),
        ("workload", found["workload_id"] or "-"),
        (
            "wiped",
            f"{moment(found['wiped_at'])}, {written} written since",
        ),
        ("installed", escape(str(installed.get("image") or "-"))),
    ]


def _deployment_facts(deployment: Json) -> list[tuple[str, str]]:
    spent = ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in deployment["phase_seconds"].items())
    shown = [
        ("deployment", f"{deployment['kind']}: {status(deployment['status'])}, at {deployment['phase'] or '-'}"),
        ("phases", spent or "-"),
    ]
    if deployment["error_code"]:
        shown.append(("error", escape(f"{deployment['error_code']}: {deployment['error_detail']}")))
    return shown


def _printable(text: str) -> str:
    """Leave out what would drive the terminal: a console's text is whatever the machine wrote."""
    return "".join(letter for letter in text if letter in {"\n", "\t"} or letter.isprintable())
