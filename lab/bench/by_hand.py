"""The same machine and the same image installed by hand: what bare metal's overhead is measured against.

A person's way: a static boot script, plain files, and a dozen commands for the machine to run (``by_hand.sh``).
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab.customer import made_up_key
from lab.metal.images import LabImage
from lab.metal.qemu import BootDevice, QemuMachine
from lab.metal.rig import MetalRig, default_specs, metal_rig, plain_dhcp
from pxe.deployer import ensure_deployer
from pxe.deployer.cpio import write_initrd

_COMMANDS = Path(__file__).with_suffix(".sh")
_ADDRESS = 50
_DISK_MIB = (1024, 1024)
_PATIENCE_SECONDS = 600.0


def install_by_hand(image: LabImage, runs: int) -> list[float]:
    """Return the seconds from power-on until the installed system has called, of so many installations; blocks.

    Raises:
        MetalLabError: this computer cannot run machines.
        TimeoutError: the system did not call.
    """
    with (
        tempfile.TemporaryDirectory(prefix="slipway-by-hand-") as folder,
        metal_rig(Path(folder) / "rig", default_specs(1, _DISK_MIB)) as rig,
    ):
        site = Path(folder) / "site"
        with _serving(site, rig.network.host_address) as server:
            _lay_out(site, rig, server.base_url, image)
            rig.network.start_dnsmasq(plain_dhcp(rig, server.base_url))
            return [_install(rig.machines[0], server) for _ in range(runs)]


def _install(machine: QemuMachine, server: "_Server") -> float:
    machine.power_off()
    machine.set_boot_device(BootDevice.PXE, once=True)
    server.called.clear()
    began = time.monotonic()
    machine.power_on()
    if not server.called.wait(_PATIENCE_SECONDS):
        raise TimeoutError(f"the system installed by hand did not call:\n{machine.console()[-2000:]}")
    return time.monotonic() - began


def _lay_out(site: Path, rig: MetalRig, url: str, image: LabImage) -> None:
    """What the machine fetches, by name."""
    deployer = ensure_deployer()
    commands = site.parent / "commands"
    commands.mkdir()
    shutil.copy2(_COMMANDS, commands / "hand")
    (commands / "hand").chmod(0o755)
    write_initrd(commands, site.parent / "commands.gz")
    # The kernel unpacks one archive after another (Documentation/driver-api/early-userspace/buffer-format in Linux).
    (site / "initrd").write_bytes(deployer.initrd.read_bytes() + (site.parent / "commands.gz").read_bytes())
    (site / "kernel").symlink_to(deployer.kernel)
    (site / "image").symlink_to(image.path)
    network = rig.network
    interfaces = (
        "auto lo\niface lo inet loopback\n\nauto eth0\niface eth0 inet static\n"
        f"    address {network.address(_ADDRESS)}/24\n    gateway {network.host_address}\n"
    )
    (site / "interfaces").write_text(interfaces, encoding="utf-8")
    (site / "authorized_keys").write_text(f"{made_up_key()}\n", encoding="utf-8")
    (site / "hostname").write_text("by-hand\n", encoding="utf-8")
    (site / "callback").write_text(f"{url}/running\nnone\n", encoding="utf-8")
    (site / "ipxe").mkdir()
    arguments = f"hand.url={url} hand.size={image.image.size_bytes} hand.sum={image.image.content_sha256}"
    script = (
        f"#!ipxe\nkernel {url}/kernel initrd=initrd rdinit=/hand {arguments} console=ttyS0 no_timer_check loglevel=4\n"
        f"initrd --name initrd {url}/initrd\nboot\n"
    )
    (site / "ipxe" / rig.machines[0].spec.mac.replace(":", "-")).write_text(script, encoding="utf-8")


class _Server(ThreadingHTTPServer):
    """Plain files, and an ear for the installed system's call.

    Attributes:
        called: set by it.
    """

    daemon_threads = True

    def __init__(self, folder: Path, host: str) -> None:
        self.called = threading.Event()
        super().__init__((host, 0), partial(_Files, directory=str(folder)))

    @property
    def base_url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Files(SimpleHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.called.set()
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Nothing: a benchmark's output is its figures."""


@contextmanager
def _serving(site: Path, host: str) -> Iterator[_Server]:
    site.mkdir()
    with _Server(site, host) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
