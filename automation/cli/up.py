"""``slipway up``: the whole system on this machine, until Ctrl-C."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from automation.cli.errors import CliError
from automation.cli.output import facts, stderr, stdout

if TYPE_CHECKING:
    from automation.embedded.system import EmbeddedSystem

DEFAULT_PORT = 8080


def up(  # noqa: PLR0913 - each is an option of the command
    *,
    home: Annotated[Path | None, typer.Option(envvar="SLIPWAY_HOME", help="Folder for data, logs and secrets.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the API; 0 takes any free one.")] = DEFAULT_PORT,
    lab: Annotated[bool, typer.Option("--lab/--no-lab", help="Stand-ins for Proxmox VE, Cloudflare, Stripe.")] = True,
    bare: Annotated[bool, typer.Option("--bare", help="A lab without anything: platform stacks make it.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Operations carried out at once.")] = 2,
    lab_option: Annotated[list[str] | None, typer.Option(help="Passed on to the lab, as --pool-size=10.")] = None,
) -> None:
    """Start Slipway on this machine: database, queue, lab, API, worker, scheduler. Ctrl-C stops all of them."""
    # Imported here: the customers' verbs need neither SQLAlchemy nor Celery, and start in a tenth of the time.
    from automation.embedded.errors import EmbeddedError  # noqa: PLC0415 - see above
    from automation.embedded.home import default_home  # noqa: PLC0415 - see above
    from automation.embedded.system import EmbeddedSystem, SystemOptions  # noqa: PLC0415 - see above
    from automation.toolchain import ToolchainMissingError  # noqa: PLC0415 - see above
    from automation.toolchain.display import progress_for  # noqa: PLC0415 - see above

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be stopped is the same as Ctrl-C
    console = stderr()
    options = SystemOptions(port=port, lab=lab, lab_options=tuple(lab_option or ()), bare=bare, workers=workers)
    try:
        with EmbeddedSystem(
            home or default_home(),
            options,
            report=lambda step: console.print(f"{escape(step)}…"),
            toolchain_progress=progress_for(),
        ) as system:
            _introduce(system)
            system.wait()
    except KeyboardInterrupt:
        console.print("Stopped.")
    except (EmbeddedError, ToolchainMissingError) as error:
        raise CliError(str(error)) from error


def _introduce(system: "EmbeddedSystem") -> None:
    """Print addresses, credentials and what to try next."""
    out = stdout()
    url, administrator = system.api_url, system.administrator
    out.print("\n[bold green]Slipway is up.[/] Ctrl-C stops it.\n")
    rows = [
        ("API", url),
        ("Its description", f"{url}/v1/openapi.json"),
        ("Admin pages", f"{url}/admin"),
        ("Administrator", f"{escape(administrator.email)}  {escape(administrator.password)}"),
        ("Data, secrets, logs", escape(str(system.home.path))),
        *_lab_rows(system),
    ]
    out.print(facts(rows))
    out.print(
        "\nTry, in another terminal:\n"
        f"  export SLIPWAY_API_URL={url}\n"
        "  slipway register --email you@slipway.example\n"
        "  slipway catalogue\n"
        "  slipway order game-server --size small --template minecraft-java --name my-world --wait\n",
        markup=False,
        soft_wrap=True,
    )


def _lab_rows(system: "EmbeddedSystem") -> list[tuple[str, str]]:
    from automation.embedded.provision import read_json  # noqa: PLC0415 - see ``up``

    if system.lab_document is None:
        return []
    lab = read_json(system.lab_document)
    nodes = [
        (f"Proxmox VE {node['name']}", f"{node['endpoint']}  {node['api_token']}") for node in lab["proxmox"]["nodes"]
    ]
    cloudflare, stripe = lab["cloudflare"], lab["stripe"]
    others = [
        ("Cloudflare", f"{cloudflare['base_url']}  {cloudflare['api_token']}"),
        ("Stripe", f"{stripe['base_url']}  {stripe['secret_key']}"),
    ]
    return [(name, escape(value)) for name, value in nodes + others]
