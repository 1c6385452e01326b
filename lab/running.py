"""One running lab: from the wanted estate to serving stand-ins and written documents."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from lab.cloudflare.settings import CloudflareSettings
from lab.document import LabDocument, MetalSection, port_of, replace_private, write_private
from lab.estate import TEST_NETS, ZONE_NAME, Node, estate_document, ipv4_subnets, node_entry
from lab.hcloud.settings import HcloudSettings
from lab.metal.settings import MetalSettings
from lab.pbs.certificate import ensure_certificate
from lab.pbs.settings import PbsSettings
from lab.platform_env import dotenv, platform_environment, ssh_key_in
from lab.proxmox.settings import ProxmoxSettings
from lab.robot.settings import RobotSettings
from lab.stripe.settings import StripeSettings
from lab.supervisor import LabError, Supervisor, exclusive

PROXMOX, CLOUDFLARE, STRIPE, ROBOT = "lab.proxmox", "lab.cloudflare", "lab.stripe", "lab.robot"
HCLOUD, PBS, METAL = "lab.hcloud", "lab.pbs", "lab.metal"
DOCUMENT, ESTATE, CERTIFICATE, PBS_CERTIFICATE = "lab.json", "estate.json", "proxmox.pem", "pbs.pem"
PLATFORM, RESCUE_KEY = "platform.env", "rescue_key"
METAL_TIMEOUT = 300.0
"""Seconds until the machines are there: the first time their images are built."""


@dataclass(frozen=True)
class Wanted:
    """What to play: nodes, IPv4 guest addresses, and seconds that each Proxmox task takes.

    Attributes:
        pool_servers: dedicated servers beside the nodes', blank.
        bare: nothing is there yet: nodes are blank, and there is no zone and no ``estate.json``.
        installed: a bare lab has its zone, and its nodes are freshly installed.
        metal: machines that boot, behind a Redfish controller; they need root and QEMU.
        metal_debian: a real Debian is among their images.
    """

    nodes: tuple[Node, ...]
    pool_size: int = 250
    task_delay: float = 0.0
    pool_servers: int = 2
    bare: bool = False
    installed: bool = False
    metal: int = 0
    metal_debian: bool = False

    @property
    def blank(self) -> bool:
        """Whether the nodes have no system yet."""
        return self.bare and not self.installed

    @property
    def machines(self) -> tuple[str, ...]:
        """The names of all dedicated servers, in the order of their numbers."""
        pool = [f"metal-{number}" for number in range(1, self.pool_servers + 1)]
        return (*(node.name for node in self.nodes), *pool)


@contextlib.contextmanager
def run(state_dir: Path, wanted: Wanted) -> Iterator[tuple[LabDocument, Supervisor]]:
    """Start everything, write ``lab.json``, ``platform.env`` and ``estate.json``, and end everything on leaving.

    A ``lab.json`` of an earlier run gives ports and credentials; guests and records are those that it had when it was
    asked to end. Blocks until all stand-ins serve.

    Raises:
        LabError: if the folder is taken, the old document unreadable, or a stand-in does not start.
        ValueError: if the pool size does not fit the documentation ranges.
    """
    with exclusive(state_dir), Supervisor(state_dir / "log") as supervisor:
        asked = _earlier(state_dir / DOCUMENT).with_nodes(wanted.nodes).with_machines(wanted.machines)
        asked.rescue.key_file = str(ssh_key_in(state_dir / RESCUE_KEY))
        asked.proxmox.ca_file = str((state_dir / CERTIFICATE).absolute())
        asked.pbs.certificate = str((state_dir / PBS_CERTIFICATE).absolute())
        asked.pbs.fingerprint = ensure_certificate(state_dir / PBS_CERTIFICATE)
        document = _start(supervisor, asked, wanted, state_dir)
        document.metal = _start_metal(supervisor, asked, wanted, state_dir)
        if not wanted.bare:
            _write_estate(document, wanted, state_dir / ESTATE)
        replace_private(state_dir / PLATFORM, dotenv(platform_environment(document)).encode())
        document.save(state_dir / DOCUMENT)
        yield document, supervisor


def _earlier(path: Path) -> LabDocument:
    try:
        return LabDocument.load(path)
    except FileNotFoundError:
        return LabDocument.fresh(ZONE_NAME)
    except ValueError as error:
        raise LabError(str(error)) from error


def _write_estate(document: LabDocument, wanted: Wanted, path: Path) -> None:
    entries = [
        node_entry(node, item.endpoint, item.api_token)
        for node, item in zip(wanted.nodes, document.proxmox.nodes, strict=True)
    ]
    write_private(path, estate_document(entries, wanted.pool_size, document.cloudflare.zone_id))


def _start(supervisor: Supervisor, document: LabDocument, wanted: Wanted, state_dir: Path) -> LabDocument:
    token = document.control_token
    guests, records = str(state_dir / "guests.memory"), str(state_dir / "records.memory")
    nodes = tuple(node.name for node in wanted.nodes)
    # Robot's machines switch the nodes on and off, so that address has to be known before anybody listens.
    document.proxmox.control_url = f"http://127.0.0.1:{port_of(document.proxmox.control_url)}"
    ports = supervisor.start(
        {
            PROXMOX: ProxmoxSettings(
                section=document.proxmox,
                control_token=token,
                task_delay=wanted.task_delay,
                memory=guests,
                bare=wanted.bare,
                blank=wanted.blank,
            ),
            CLOUDFLARE: CloudflareSettings(
                section=document.cloudflare, control_token=token, memory=records, bare=wanted.blank
            ),
            STRIPE: StripeSettings(section=document.stripe, control_token=token),
            ROBOT: RobotSettings(
                section=document.robot,
                control_token=token,
                rescue=document.rescue,
                servers=wanted.machines,
                nodes=nodes,
                installed=() if wanted.blank else nodes,
                proxmox_control=document.proxmox.control_url,
                memory=str(state_dir / "robot.memory"),
            ),
            HCLOUD: HcloudSettings(
                section=document.hcloud,
                control_token=token,
                action_delay=wanted.task_delay,
                memory=str(state_dir / "hcloud.memory"),
            ),
            PBS: PbsSettings(
                section=document.pbs,
                certificate=document.pbs.certificate,
                control_token=token,
                memory=str(state_dir / "pbs.memory"),
            ),
        }
    )
    return _with_ports(document, ports)


def _start_metal(supervisor: Supervisor, asked: LabDocument, wanted: Wanted, state_dir: Path) -> MetalSection | None:
    """Start the machines' process, if there are any, and ask it what they are."""
    if not wanted.metal:
        return None
    section = MetalSection(control_url=asked.metal.control_url if asked.metal else "http://127.0.0.1:0")
    settings = MetalSettings(
        section=section,
        control_token=asked.control_token,
        folder=state_dir / "metal",
        count=wanted.metal,
        real_debian=wanted.metal_debian,
        pools=TEST_NETS[:1] if wanted.bare else tuple(str(subnet) for subnet in ipv4_subnets(wanted.pool_size)),
    )
    control = f"http://127.0.0.1:{supervisor.start({METAL: settings}, METAL_TIMEOUT)[METAL]['api']}"
    headers = {"Authorization": f"Bearer {asked.control_token}"}
    answer = httpx.get(f"{control}/_lab/section", headers=headers, timeout=30).raise_for_status()
    return MetalSection.model_validate({**answer.json(), "control_url": control})


def _with_ports(document: LabDocument, ports: dict[str, dict[str, int]]) -> LabDocument:
    """The document with the addresses at which the stand-ins really listen."""
    here = "http://127.0.0.1"
    bound = document.model_copy(deep=True)
    bound.proxmox.control_url = f"{here}:{ports[PROXMOX]['control']}"
    for node in bound.proxmox.nodes:
        node.endpoint = f"https://127.0.0.1:{ports[PROXMOX][node.name]}"
    bound.cloudflare.control_url = f"{here}:{ports[CLOUDFLARE]['api']}"
    bound.cloudflare.base_url = f"{bound.cloudflare.control_url}/client/v4"
    bound.stripe.control_url = bound.stripe.base_url = f"{here}:{ports[STRIPE]['api']}"
    bound.robot.control_url = bound.robot.base_url = f"{here}:{ports[ROBOT]['api']}"
    bound.hcloud.control_url = f"{here}:{ports[HCLOUD]['api']}"
    bound.hcloud.base_url = f"{bound.hcloud.control_url}/v1"
    bound.pbs.base_url = f"https://127.0.0.1:{ports[PBS]['api']}"
    return bound
