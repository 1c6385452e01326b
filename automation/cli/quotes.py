"""``slipway quote``, and showing a quote before an order."""

import time
from typing import Annotated

import typer
from rich.markup import escape

from automation.cli.account import key_name
from automation.cli.client import ApiClient, Json, connect
from automation.cli.errors import CliError
from automation.cli.output import money, print_json, stderr, stdout

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 30.0
_PATIENCE_BEFORE_ORDER_SECONDS = 10.0


def quote(  # noqa: PLR0913 - one parameter an option
    product: Annotated[str, typer.Argument(help="What to ask about: see `slipway catalogue`.")],
    *,
    size: Annotated[str, typer.Option(help="Its size.")],
    template: Annotated[str, typer.Option(help="What is to run on it.")],
    name: Annotated[str, typer.Option(help="Its name, which becomes its host name.")],
    ssh_key: Annotated[list[str] | None, typer.Option(help="A key of yours by name, or a public key's file.")] = None,
    layout: Annotated[
        str | None, typer.Option(help="How a bare-metal machine's disks are used: single, raid1.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What a server would cost and what exactly would be made; orders nothing."""
    with connect() as client:
        keys = [key_name(client, key) for key in ssh_key or ()]
        body = {"product": product, "size": size, "template": template, "name": name, "ssh_keys": keys}
        if layout is not None:
            body["layout"] = layout
        asked = _planned(client, client.post("/quotes", body), _PATIENCE_SECONDS)
    if as_json:
        print_json(asked)
        return
    show_price(asked)
    if asked["plan"] is None:
        raise CliError(f"there is no plan: {asked['error'] or 'it takes too long to make; ask again in a moment'}")
    _show_plan(asked)


def show_before_order(client: ApiClient, body: Json, *, waits: bool) -> None:
    """Show what an order would cost and, if one ``waits`` for it, what the engine would do.

    The plan is a courtesy here: an order does not hang on it.

    Raises:
        CliError: if it is sold out.
    """
    asked = client.post("/quotes", body)
    show_price(asked)
    if waits:
        asked = _planned(client, asked, _PATIENCE_BEFORE_ORDER_SECONDS)
        if asked["plan"] is not None:
            _show_plan(asked)


def show_price(asked: Json) -> None:
    """Print what a quote includes, and its price.

    Raises:
        CliError: if it is sold out.
    """
    out = stdout()
    out.print(f"[bold]{escape(asked['description'])}[/] for {money(asked['price_cents'], asked['currency'])} a month:")
    for line in asked["includes"]:
        out.print(f"  - {escape(line)}")
    if not asked["is_available"]:
        raise CliError("sold out for now: nothing was ordered; another size or product may be free")


def _show_plan(asked: Json) -> None:
    stdout().print(f"Plan: {escape(asked['plan'])}", soft_wrap=True)


def _planned(client: ApiClient, asked: Json, seconds: float) -> Json:
    """Wait up to so long for a quote's plan; returns the quote as it is then."""
    give_up = time.monotonic() + seconds
    with stderr().status("Finding out what would be made…"):
        while asked["status"] == "planning" and time.monotonic() < give_up:
            time.sleep(_POLL_SECONDS)
            asked = client.get(f"/quotes/{asked['id']}")
    return asked
