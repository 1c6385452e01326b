"""The command line's entry point: every command, in one place."""

from collections.abc import Callable

import typer

from automation.cli import (
    account,
    admin,
    audit,
    doctor,
    drift,
    engine,
    hosts,
    inventory,
    machines,
    observability,
    orders,
    own_machines,
    plans,
    platform,
    quotes,
    state,
    tools,
    up,
    workloads,
)
from automation.cli.errors import Commands
from pxe.boot.cli import boot

_CUSTOMER = "Your servers"
_ACCOUNT = "Your account"
_STAFF = "Looking after customers"
_OPERATOR = "Running Slipway"


_COMMANDS: tuple[tuple[str, str, Callable[..., None]], ...] = (
    (_CUSTOMER, "catalogue", orders.catalogue),
    (_CUSTOMER, "quote", quotes.quote),
    (_CUSTOMER, "order", orders.order),
    (_CUSTOMER, "list", workloads.list_workloads),
    (_CUSTOMER, "show", workloads.show),
    (_CUSTOMER, "logs", workloads.logs),
    (_CUSTOMER, "start", workloads.start),
    (_CUSTOMER, "stop", workloads.stop),
    (_CUSTOMER, "reboot", workloads.reboot),
    (_CUSTOMER, "reinstall", own_machines.reinstall),
    (_CUSTOMER, "rescue", own_machines.rescue),
    (_CUSTOMER, "cancel", workloads.cancel),
    (_CUSTOMER, "abort", workloads.abort),
    (_ACCOUNT, "register", account.register),
    (_ACCOUNT, "login", account.login),
    (_ACCOUNT, "logout", account.logout),
    (_OPERATOR, "up", up.up),
    (_OPERATOR, "doctor", doctor.doctor),
    (_OPERATOR, "migrate", tools.migrate),
)


def build() -> typer.Typer:
    """Put the commands together."""
    made = typer.Typer(
        cls=Commands,
        help="Order servers and run them; or run Slipway itself.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for panel, name, verb in _COMMANDS:
        made.command(name, rich_help_panel=panel)(verb)
    made.add_typer(account.ssh_keys, name="ssh-keys", rich_help_panel=_ACCOUNT)
    made.add_typer(plans.plans, name="plans", rich_help_panel=_STAFF)
    made.add_typer(platform.platform, name="platform", rich_help_panel=_STAFF)
    made.add_typer(drift.drift, name="drift", rich_help_panel=_STAFF)
    made.add_typer(drift.orphans, name="orphans", rich_help_panel=_STAFF)
    made.add_typer(admin.admin, name="admin", rich_help_panel=_OPERATOR)
    made.add_typer(audit.audit, name="audit", rich_help_panel=_OPERATOR)
    made.add_typer(state.state, name="state", rich_help_panel=_OPERATOR)
    made.add_typer(hosts.hosts, name="host", rich_help_panel=_OPERATOR)
    made.add_typer(inventory.inventory, name="inventory", rich_help_panel=_OPERATOR)
    made.add_typer(machines.machines, name="machine", rich_help_panel=_OPERATOR)
    made.add_typer(observability.observability, name="observability", rich_help_panel=_OPERATOR)
    made.add_typer(boot, name="boot", rich_help_panel=_OPERATOR)
    made.add_typer(tools.keys, name="keys", rich_help_panel=_OPERATOR)
    made.add_typer(tools.estate, name="estate", rich_help_panel=_OPERATOR)
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    made.command("pulumi", rich_help_panel=_OPERATOR, context_settings=passed_on, add_help_option=False)(engine.pulumi)
    made.command("bench", rich_help_panel=_OPERATOR, context_settings=passed_on)(tools.bench)
    made.command("chaos", rich_help_panel=_OPERATOR, context_settings=passed_on)(tools.chaos)
    return made


app = build()
