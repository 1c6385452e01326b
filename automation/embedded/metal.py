"""Bare metal of an embedded system: the boot service, and the lab's machines in the pool."""

import sys
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
from sqlalchemy import select

from api.audit.trail import OPERATOR_SHELL
from api.catalogue.seed import CatalogueDocument, ProductEntry, SizeEntry, TemplateEntry
from api.db.session import Database
from api.machines.care import MachineCare
from api.machines.enrolment import MachineEnrolment
from api.machines.inputs import MachineIn, MachinePatch
from api.machines.models import BmcDriver, Machine
from api.templates.definition import TemplateDefinition
from api.vault import Vault
from automation.embedded.ports import free_port
from automation.embedded.supervisor import Service
from components.specs import WorkloadKind
from components.specs.machine import DeploymentKind, DiskLayout, MachineImage, MachineState
from pxe.boot.adding import add_image
from pxe.boot.dnsmasq import ProvisioningNetwork, render_dnsmasq
from pxe.boot.known import boot_hosts
from pxe.boot.store import ImageStore

CLASS = "lab-metal"
"""The class of the lab's machines, and the size under which they are sold."""
SITE = "fsn"
_MIB_PER_GIB = 1024
_PRICE_CENTS = 1900
_PROBE_SECONDS = 2.0
_CONTROL_SECONDS = 30.0


class EmbeddedMetal:
    """The lab's machines, as ``lab.json`` describes them, and the boot service for them.

    Args:
        section: ``metal`` of ``lab.json``.
        control_token: of ``lab.json``.
        folder: for the image store.
    """

    def __init__(self, section: Mapping[str, Any], control_token: str, folder: Path) -> None:
        self._section = section
        self._token = control_token
        self._store = folder
        self._host: str = section["host_address"]
        self._port = free_port(self._host)

    @property
    def base_url(self) -> str:
        """Where machines reach the boot service."""
        return f"http://{self._host}:{self._port}"

    def settings(self, api_url: str) -> dict[str, str]:
        """What the boot service and the workers need to know. Blocks while kernel and initrd are built."""
        from pxe.deployer import ensure_deployer  # noqa: PLC0415 - most systems have no machines

        return {
            "SLIPWAY_PXE_URL": self.base_url,
            "SLIPWAY_PXE_IMAGE_STORE": str(self._store),
            "SLIPWAY_PXE_DEPLOYER": str(ensure_deployer().kernel.parent),
            "SLIPWAY_METAL_URL": api_url,
        }

    def service(self, environment: Mapping[str, str]) -> Service:
        """Describe the boot service."""
        return Service(
            "boot",
            [sys.executable, "-m", "pxe.boot", "serve", "--host", self._host, "--port", str(self._port)],
            {**environment, "PYTHONUNBUFFERED": "1"},
            self._answers,
            ready_seconds=180.0,
        )

    def catalogue(self, catalogue: CatalogueDocument) -> CatalogueDocument:
        """Return the catalogue with the lab's small systems and machines on offer."""
        templates = [
            TemplateEntry(
                slug=image["image"]["name"],
                name=f"Lab system {image['image']['name']}",
                version=image["image"]["sha256"][:12],
                definition=TemplateDefinition(
                    kind=WorkloadKind.BARE_METAL,
                    user="root",
                    layouts=tuple(DiskLayout),
                    machine_image=MachineImage.model_validate(image["image"]),
                ),
            )
            for image in self._section["images"]
        ]
        products = [self._offered(product, templates) for product in catalogue.products]
        return CatalogueDocument(templates=(*catalogue.templates, *templates), products=tuple(products))

    def stock_images(self) -> None:
        """Put the lab's images into the image store."""
        store = ImageStore(self._store)
        for image in self._section["images"]:
            if not store.image(image["image"]["sha256"]).exists():
                add_image(self._store, Path(image["path"]), image["image"]["name"])

    def enroll(self, database: Database, vault: Vault) -> None:
        """Tell the pool of the lab's machines; what an earlier run told is brought up to date. The site must exist."""
        with database.transaction() as transaction:
            session = transaction.session
            enrolment = MachineEnrolment(session, vault)
            for told in self.machines():
                known = session.scalars(select(Machine).where(Machine.serial == told.serial)).one_or_none()
                if known is None:
                    enrolment.enroll(told, OPERATOR_SHELL)
                    continue
                moved = MachinePatch(boot_address=told.boot_address, bmc_address=told.bmc_address)
                enrolment.edit(known.name, moved, OPERATOR_SHELL)
                assert told.bmc_password is not None  # noqa: S101 - ``machines`` gives one
                enrolment.deposit(known.name, told.bmc_password.get_secret_value(), OPERATOR_SHELL)

    def inspect(self, database: Database, lifetimes: Mapping[DeploymentKind, timedelta]) -> None:
        """Have machines that nobody has looked at yet inspected, and wiped after that."""
        with database.transaction() as transaction:
            session = transaction.session
            names = session.scalars(select(Machine.name).where(Machine.state == MachineState.ENROLL)).all()
            for name in names:
                MachineCare(session, lifetimes).inspect(name, "new in the lab", OPERATOR_SHELL)

    def machines(self) -> list[MachineIn]:
        """What is told of each machine."""
        return [
            MachineIn.model_validate(
                {
                    "name": machine["name"],
                    "site": SITE,
                    "machine_class": CLASS,
                    "serial": machine["serial"],
                    "boot_mac": machine["mac"],
                    "cores": machine["cores"],
                    "memory_mib": machine["memory_mib"],
                    "disk_gib": machine["disk_mib"][0] // _MIB_PER_GIB,
                    "disk_count": len(machine["disk_mib"]),
                    "boot_address": machine["boot_address"],
                    "rack": "lab",
                    "bmc_driver": BmcDriver.REDFISH,
                    "bmc_address": self._section["redfish_url"],
                    "bmc_system": machine["system"],
                    "bmc_user": self._section["user"],
                    "bmc_password": self._section["password"],
                }
            )
            for machine in self._section["machines"]
        ]

    def serve_dhcp(self, database: Database) -> None:
        """Have the lab's dnsmasq serve the machines of the pool; harmless to repeat."""
        place = ProvisioningNetwork(
            interface=self._section["interface"],
            network=IPv4Network(self._section["subnet"]),
            base_url=self.base_url,
            # The lab's cards have iPXE in them; real ones get it from here.
            tftp_root=PurePosixPath("/usr/lib/ipxe"),
            lease_file=PurePosixPath(self._store / "leases"),
            ipv6_prefix=IPv6Network((self._section["ipv6_prefix"], 64)),
        )
        with database.transaction() as transaction:
            hosts = boot_hosts(transaction.session)
        config = render_dnsmasq(place, [host for host in hosts if host.address in place.network])
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "text/plain"}
        address = f"{self._section['control_url']}/_lab/dnsmasq"
        httpx.put(address, content=config, headers=headers, timeout=_CONTROL_SECONDS).raise_for_status()

    def _offered(self, product: ProductEntry, templates: list[TemplateEntry]) -> ProductEntry:
        if product.kind is not WorkloadKind.BARE_METAL:
            return product
        first = self._section["machines"][0]
        size = SizeEntry(
            slug=CLASS,
            name=f"{first['cores']} cores / {first['memory_mib'] // _MIB_PER_GIB} GiB (lab)",
            cores=first["cores"],
            memory_mib=first["memory_mib"],
            disk_gib=first["disk_mib"][0] // _MIB_PER_GIB,
            price_cents=_PRICE_CENTS,
        )
        slugs = (*product.templates, *(template.slug for template in templates))
        return product.model_copy(update={"templates": slugs, "sizes": (*product.sizes, size)})

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/healthz", timeout=_PROBE_SECONDS).is_success
        except httpx.TransportError:
            return False
