"""``slipway catalogue`` and ``slipway order``."""

from typing import Annotated
from uuid import uuid4

import typer
from rich.markup import escape

from automation.cli.account import key_name
from automation.cli.client import ApiClient, Json, connect
from automation.cli.errors import CliError
from automation.cli.follow import OperationFailedError, operations_of, show_log
from automation.cli.output import memory, money, print_json, row, stdout, table
from automation.cli.quotes import show_before_order
from automation.cli.workloads import print_workload

_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def catalogue(*, as_json: _AS_JSON = False) -> None:
    """What can be ordered: products, sizes, prices and templates."""
    with connect() as client:
        products = client.get("/products")
    if as_json:
        print_json(products)
        return
    for product in products:
        shown = table("SIZE", "", "CORES", "MEMORY", "DISK", "A MONTH", title=f"{product['name']} ({product['slug']})")
        for size in product["sizes"]:
            row(
                shown,
                size["slug"],
                size["name"],
                size["cores"],
                memory(size["memory_mib"]),
                f"{size['disk_gib']} GiB",
                money(size["price_cents"], size["currency"]),
            )
        stdout().print(shown)
        templates = ", ".join(f"{item['slug']} ({item['name']})" for item in product["templates"])
        layouts = dict.fromkeys(layout for item in product["templates"] for layout in item["layouts"])
        stdout().print(f"Templates: {escape(templates)}")
        stdout().print(f"Disk layouts: {escape(', '.join(layouts))}\n" if layouts else "")


def order(  # noqa: PLR0913 - one parameter an option
    product: Annotated[str, typer.Argument(help="What to order: see `slipway catalogue`.")],
    *,
    size: Annotated[str, typer.Option(help="Its size.")],
    template: Annotated[str, typer.Option(help="What is to run on it.")],
    name: Annotated[str, typer.Option(help="Its name, which becomes its host name.")],
    ssh_key: Annotated[list[str] | None, typer.Option(help="A key of yours by name, or a public key's file.")] = None,
    layout: Annotated[
        str | None, typer.Option(help="How a bare-metal machine's disks are used: single, raid1.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the payment, then show the progress.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the payment page in a browser.")] = False,
) -> None:
    """Order a server: shows the price and the plan, asks, and prints the page on which to pay."""
    with connect() as client:
        keys = [key_name(client, key) for key in ssh_key or ()]
        body = {"product": product, "size": size, "template": template, "name": name, "ssh_keys": keys}
        if layout is not None:
            body["layout"] = layout
        show_before_order(client, body, waits=not yes)
        if not yes and not typer.confirm("Order it?"):
            raise CliError("nothing was ordered")
        placed = client.post_until_answered("/orders", body, str(uuid4()))
        stdout().print(f"\nPay here, and it is made at once:\n{escape(placed['checkout_url'] or '-')}", soft_wrap=True)
        if open_page and placed["checkout_url"]:
            typer.launch(placed["checkout_url"])
        if wait:
            _follow_order(client, placed)
        else:
            stdout().print(f"\nThen: slipway logs {escape(name)} --follow")


def _follow_order(client: ApiClient, order: Json) -> None:
    """Wait until an order is paid, then show the operation that makes it.

    Raises:
        CliError: if it was not paid in time, or could not be delivered.
    """
    operations = operations_of(client, order["workload_id"], wait=True)
    if not operations:
        order = client.get(f"/orders/{order['id']}")
        raise CliError(f"the order is closed: {order['closed_reason'] or order['status'].replace('_', ' ')}")
    try:
        # The oldest delivers; after a failure, the newest would be the one that tidies up.
        show_log(client, operations[-1]["id"], follow=True)
    except OperationFailedError as error:
        closed = client.get(f"/orders/{order['id']}")["status"] in {"refund_due", "refunded"}
        raise CliError(f"{error}. You get your money back." if closed else str(error)) from error
    print_workload(client.get(f"/workloads/{order['workload_id']}"))
