"""The boot service's commands: serve, put images into the store, and print dnsmasq's configuration."""

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from api.errors import SlipwayError
from components.specs.machine import ImageFormat

boot = typer.Typer(help="The boot service of dedicated machines.", no_args_is_help=True, add_completion=False)
images = typer.Typer(help="Disk images that machines are installed with.", no_args_is_help=True, add_completion=False)
boot.add_typer(images, name="images")
installers = typer.Typer(help="Distributions' own installers.", no_args_is_help=True, add_completion=False)
boot.add_typer(installers, name="installers")

_DATABASE, _STORE, _URL = "DATABASE_URL", "SLIPWAY_PXE_IMAGE_STORE", "SLIPWAY_PXE_URL"


@boot.command("serve")
def serve(
    host: Annotated[str, typer.Option(help="The provisioning network's address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
) -> None:
    """Serve machines, until the process is told to end."""
    from pxe.boot.listening import run_service  # noqa: PLC0415 - the other commands need no server
    from pxe.boot.serve import app  # noqa: PLC0415 - see above

    run_service(app(), host, port)


@images.command("add")
def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A raw, gzipped or qcow2 disk image.")],
    name: Annotated[str, typer.Option(help="What it is called, such as debian-12.")],
    store: Annotated[Path, typer.Option(envvar=_STORE, help="The image store.")],
    sha256: Annotated[str, typer.Option(help="What its publisher says it has.")] = "",
    *,
    compress: Annotated[bool, typer.Option("--compress", help="Serve it compressed.")] = False,
) -> None:
    """Put an image into the store, and print what the catalogue says of it."""
    from pxe.boot.adding import add_image  # noqa: PLC0415 - see above

    with _plain_errors():
        image = add_image(store, file, name, expected_sha256=sha256, compress=compress)
    typer.echo(image.model_dump_json(indent=2))


@installers.command("add")
def add_installer_files(  # noqa: PLR0913 - typer makes an option of each parameter
    *,
    name: Annotated[str, typer.Option(help="What it is called, such as debian-13-installer.")],
    kernel: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Of the distribution's netboot files.")],
    initrd: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Of the distribution's netboot files.")],
    store: Annotated[Path, typer.Option(envvar=_STORE, help="The image store.")],
    image_format: Annotated[ImageFormat, typer.Option("--format", help="Whose it is.")] = ImageFormat.INSTALLER_DEBIAN,
    arguments: Annotated[str, typer.Option(help="What its kernel is told besides: its mirror.")] = "",
    disk_gib: Annotated[int, typer.Option(min=1, help="What a disk has to hold at least.")] = 4,
) -> None:
    """Put an installer into the store, and print what the catalogue says of it."""
    from pxe.boot.adding import add_installer  # noqa: PLC0415 - see above

    with _plain_errors():
        image = add_installer(
            store, name, image_format, kernel=kernel, initrd=initrd, arguments=arguments, size_bytes=disk_gib << 30
        )
    typer.echo(image.model_dump_json(indent=2))


@boot.command("dnsmasq")
def dnsmasq(  # noqa: PLR0913 - typer makes an option of each parameter
    interface: Annotated[str, typer.Option(help="The provisioning network's interface on dnsmasq's host.")],
    network: Annotated[str, typer.Option(help="Such as 10.20.0.0/24.")],
    *,
    url: Annotated[str, typer.Option(envvar=_URL, help="Where machines reach the boot service.")],
    tftp_root: Annotated[str, typer.Option(help="Folder with undionly.kpxe and ipxe.efi.")] = "/srv/tftp",
    lease_file: Annotated[str, typer.Option(help="dnsmasq's own.")] = "/var/lib/misc/dnsmasq.leases",
    gateway: Annotated[str | None, typer.Option(help="If the boot service is in another network.")] = None,
) -> None:
    """Print dnsmasq's configuration for the machines of the inventory (DATABASE_URL) that have a boot address."""
    from pxe.boot.dnsmasq import ProvisioningNetwork, render_dnsmasq  # noqa: PLC0415 - see above
    from pxe.boot.known import boot_hosts_at  # noqa: PLC0415 - see above

    with _plain_errors():
        if not os.environ.get(_DATABASE):
            raise ValueError(f"set {_DATABASE}: the inventory is there")
        place = ProvisioningNetwork(
            interface=interface,
            network=ipaddress.IPv4Network(network),
            base_url=url,
            tftp_root=PurePosixPath(tftp_root),
            lease_file=PurePosixPath(lease_file),
            gateway=None if gateway is None else ipaddress.IPv4Address(gateway),
        )
        typer.echo(render_dnsmasq(place, boot_hosts_at(os.environ[_DATABASE])), nl=False)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Say what is wrong in a sentence, and end with 1."""
    from pxe.boot.adding import BadImage  # noqa: PLC0415 - see above

    try:
        yield
    except (BadImage, OSError, SlipwayError, ValueError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
