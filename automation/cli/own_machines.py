"""``slipway reinstall`` and ``slipway rescue``: what only a machine of one's own can be asked for."""

from typing import Annotated, Any

import typer

from automation.cli.account import key_name
from automation.cli.client import connect
from automation.cli.workloads import Name, Wait, find_workload, show_begun


def reinstall(  # noqa: PLR0913 - one parameter an option
    name: Name,
    *,
    template: Annotated[str, typer.Option(help="What is to run on it: see `slipway catalogue`.")],
    layout: Annotated[
        str | None, typer.Option(help="How its disks are used: single, raid1; as now if left out.")
    ] = None,
    ssh_key: Annotated[
        list[str] | None, typer.Option(help="A key of yours by name, or a file; the present ones stay if left out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = False,
) -> None:
    """Install a machine of your own again. Everything on its disks is lost."""
    if not yes:
        typer.confirm(f"Install {name} again, and lose everything on it?", abort=True)
    with connect() as client:
        workload = find_workload(client, name)
        body: dict[str, Any] = {"template": template, "confirm": workload["name"]}
        if layout is not None:
            body["layout"] = layout
        if ssh_key is not None:
            body["ssh_keys"] = [key_name(client, key) for key in ssh_key]
        operation = client.post(f"/workloads/{workload['id']}/reinstall", body)
        show_begun(client, name, "reinstall", operation, wait=wait)


def rescue(
    name: Name,
    *,
    off: Annotated[bool, typer.Option("--off", help="Back to its own system.")] = False,
    wait: Wait = False,
) -> None:
    """Boot a machine of your own into the rescue system, or back into its own; its disks are left alone."""
    with connect() as client:
        workload = find_workload(client, name)
        operation = client.post(f"/workloads/{workload['id']}/rescue", {"on": not off})
        otherwise = "it runs its own system already" if off else "it runs the rescue system already"
        show_begun(client, name, "rescue", operation, otherwise=otherwise, wait=wait)
