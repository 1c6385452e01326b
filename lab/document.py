"""``lab.json``: where the stand-ins listen and the generated credentials that open them.

The file is the lab's only interface for other programs. It is written with mode 0600 and in one step (a
rename), so a reader sees a whole document or none. A lab that starts over an old document keeps its ports
and credentials, so what was configured against it stays valid.
"""

import contextlib
import json
import os
import random
import secrets
import socket
import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.estate import Node

API_USER = "lab@pve"
"""An administrator whom somebody made by hand; the platform's stacks make a user of their own."""

_LISTENING_PORTS = range(20_000, 32_000)
_TRIES = 50
TOKEN_NAME = "lab"  # noqa: S105 - the public name of the API token, not its secret


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProxmoxNode(_Section):
    """One node: ``endpoint`` is ``https://host:port``, ``api_token`` is ``user@realm!name=uuid``."""

    name: str
    workload_class: str
    endpoint: str
    api_token: str
    password: str

    @classmethod
    def for_node(cls, node: Node) -> Self:
        """A new node with credentials of its own and no port yet."""
        return cls(
            name=node.name,
            workload_class=str(node.workload_class),
            endpoint="https://127.0.0.1:0",
            api_token=f"{API_USER}!{TOKEN_NAME}={uuid.uuid4()}",
            password=secrets.token_urlsafe(18),
        )


class ProxmoxSection(_Section):
    """All nodes, the plain HTTP address that takes faults for them, and the file that verifies their TLS."""

    control_url: str = "http://127.0.0.1:0"
    ca_file: str = ""
    nodes: list[ProxmoxNode] = []


class CloudflareSection(_Section):
    """``base_url`` ends in ``/client/v4``, as the SDK and the Pulumi provider want it."""

    base_url: str = "http://127.0.0.1:0/client/v4"
    control_url: str = "http://127.0.0.1:0"
    api_token: str
    account_id: str
    zone_id: str
    zone_name: str


class StripeSection(_Section):
    """``base_url`` is the SDK's ``base_addresses["api"]``; webhook endpoints sign with ``webhook_secret``."""

    base_url: str = "http://127.0.0.1:0"
    control_url: str = "http://127.0.0.1:0"
    secret_key: str
    webhook_secret: str


class RobotSection(_Section):
    """``base_url`` is what a client has in place of Hetzner's own address; login and password are for basic auth."""

    base_url: str = "http://127.0.0.1:0"
    control_url: str = "http://127.0.0.1:0"
    login: str = "#ws+slipway"
    password: str = Field(default_factory=lambda: secrets.token_urlsafe(18))


class HcloudSection(_Section):
    """``base_url`` ends in ``/v1``. Each token opens a project of its own; it is 64 characters long, as Hetzner's.

    ``slipway`` is the provider's own project, ``stranger`` somebody else's, in which nothing may ever change.
    """

    base_url: str = "http://127.0.0.1:0/v1"
    control_url: str = "http://127.0.0.1:0"
    tokens: dict[str, str] = Field(
        default_factory=lambda: {name: secrets.token_hex(32) for name in ("slipway", "stranger")}
    )


class PbsSection(_Section):
    """The backup server: ``base_url`` is ``https://host:port``; ``fingerprint`` is what its certificate is known by.

    ``certificate`` is the file that verifies its TLS.
    """

    base_url: str = "https://127.0.0.1:0"
    certificate: str = ""
    fingerprint: str = ""
    username: str = "root@pam"
    password: str = Field(default_factory=lambda: secrets.token_urlsafe(18))


class RescueSection(_Section):
    """Where each machine's rescue system has its SSH, by the machine's name, and the private key that it lets in."""

    key_file: str = ""
    ports: dict[str, int] = {}


class MetalMachine(_Section):
    """A machine; ``system`` is its path at the Redfish controller, ``boot_address`` what DHCP gives it."""

    name: str
    serial: str
    mac: str
    system: str
    boot_address: str
    cores: int
    memory_mib: int
    disk_mib: list[int]
    disks: list[str]
    console: str


class MetalImage(_Section):
    """A small system that machines can be installed with: the file to serve, and its ``MachineImage``."""

    path: str
    image: dict[str, Any]


class MetalSection(_Section):
    """Machines behind one Redfish controller. ``host_address`` is this computer's on their network.

    ``interface`` is where DHCP is served, in a namespace of the hall's own.
    """

    control_url: str = "http://127.0.0.1:0"
    redfish_url: str = ""
    user: str = ""
    password: str = ""
    host_address: str = ""
    interface: str = ""
    subnet: str = ""
    ipv6_prefix: str = ""
    machines: list[MetalMachine] = []
    images: list[MetalImage] = []


class LabDocument(_Section):
    """Everything in ``lab.json``. ``control_token`` opens the control addresses of all stand-ins."""

    control_token: str
    proxmox: ProxmoxSection
    cloudflare: CloudflareSection
    stripe: StripeSection
    robot: RobotSection = Field(default_factory=RobotSection)
    hcloud: HcloudSection = Field(default_factory=HcloudSection)
    pbs: PbsSection = Field(default_factory=PbsSection)
    rescue: RescueSection = Field(default_factory=RescueSection)
    metal: MetalSection | None = None

    @classmethod
    def fresh(cls, zone_name: str) -> Self:
        """A document with new random credentials, no nodes and no ports."""
        return cls(
            control_token=secrets.token_urlsafe(24),
            proxmox=ProxmoxSection(),
            cloudflare=CloudflareSection(
                api_token=secrets.token_urlsafe(30),
                account_id=secrets.token_hex(16),
                zone_id=secrets.token_hex(16),
                zone_name=zone_name,
            ),
            stripe=StripeSection(
                secret_key=f"sk_test_{secrets.token_hex(24)}",
                webhook_secret=f"whsec_{secrets.token_hex(24)}",
            ),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a document.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: naming the file and the field, if it is not a lab document.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "document"
            raise ValueError(f"{path}: {field}: {first['msg']}; remove the file for a new lab") from error

    def with_nodes(self, nodes: tuple[Node, ...]) -> Self:
        """The same document for these nodes: known ones keep port and token, new ones get theirs."""
        known = {node.name: node for node in self.proxmox.nodes}
        kept = [known.get(node.name) or ProxmoxNode.for_node(node) for node in nodes]
        return self.model_copy(update={"proxmox": self.proxmox.model_copy(update={"nodes": kept})})

    def with_machines(self, names: Iterable[str]) -> Self:
        """The same document with a rescue port for each of these machines; known ones keep theirs."""
        ports = {name: self.rescue.ports.get(name) or _free_port() for name in names}
        return self.model_copy(update={"rescue": self.rescue.model_copy(update={"ports": ports})})

    def save(self, path: Path) -> None:
        """Write the document for this user's eyes only, whole or not at all."""
        write_private(path, self.model_dump())


def write_private(path: Path, document: dict[str, Any]) -> None:
    """Write JSON with mode 0600 by way of a temporary file in the same folder and a rename."""
    replace_private(path, (json.dumps(document, indent=2) + "\n").encode())


def replace_private(path: Path, content: bytes) -> None:
    """Write a file with mode 0600, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def port_of(url: str) -> int:
    """The port of an address; for one that has none yet, a free one.

    It is remembered for later starts, so it is chosen below the range that the kernel takes ports of outgoing
    connections from (``ip_local_port_range``, ip(7)): those would be in its way every now and then.
    """
    return urlsplit(url).port or _free_port()


def _free_port() -> int:
    for port in random.sample(_LISTENING_PORTS, _TRIES):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    return 0
