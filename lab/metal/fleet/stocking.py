"""Fills an empty database for a fleet: a product, addresses, machines that can be sold, and customers."""

import hashlib
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.auth.models import SshKey, User
from api.catalogue.seed import CatalogueDocument, ProductEntry, SizeEntry, TemplateEntry, seed_catalogue
from api.db.session import Database
from api.inventory.estate import EstateDocument, EstateImport
from api.inventory.models import Site
from api.machines.models import BmcDriver, Machine
from api.templates.definition import TemplateDefinition
from api.vault import Vault
from components.specs import WorkloadKind
from components.specs.machine import DiskLayout, MachineImage, MachineState
from lab.metal.fleet.iron import BMC_PASSWORD, BMC_USER, Iron

PRODUCT, SIZE, TEMPLATE, KEY = "fleet-metal", "fleet-small", "fleet-os", "laptop"
IMAGE = b"the operating system of the fleet " * 1024
_SITE = "fsn"
_NO_GUESTS = 3
"""Addresses of an IPv4 pool that are nobody's: the network's, the gateway's, broadcast."""
_SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtTqnKxSZ3GgdNq0aFvOXTkmK0mp4nB1ZAoYTlSYkdF"


def fill_image_store(store: Path) -> None:
    """Put the one image into a boot service's store."""
    images = store / "images"
    images.mkdir(parents=True, exist_ok=True)
    (images / hashlib.sha256(IMAGE).hexdigest()).write_bytes(IMAGE)


def stock(database: Database, vault: Vault, orders: int) -> None:
    """Have something to sell; the addresses are those of RFC 2544 and RFC 3849, for benchmarks and documentation.

    Args:
        database: empty but for its schema.
        vault: the API's.
        orders: so many addresses are needed; at most some 4000.
    """
    prefix = 32 - (orders + _NO_GUESTS).bit_length()
    estate = EstateDocument.model_validate(
        {
            "sites": [{"slug": _SITE, "name": "Falkenstein", "nameservers": ["192.0.2.53"]}],
            "nodes": [],
            "address_pools": [
                {
                    "name": "fleet-v4",
                    "site": _SITE,
                    "family": 4,
                    "cidr": f"198.18.0.0/{prefix}",
                    "gateway": "198.18.0.1",
                },
                {"name": "fleet-v6", "site": _SITE, "family": 6, "cidr": "2001:db8::/48", "gateway": "fe80::1"},
            ],
            "dns_zones": [{"name": "play.example", "provider_zone_id": "023e105f4ecef8ad9ca31a8372d0c353"}],
        }
    )
    with database.transaction() as transaction:
        seed_catalogue(transaction.session, _catalogue())
        EstateImport(transaction.session, vault).apply(estate)


def _catalogue() -> CatalogueDocument:
    digest = hashlib.sha256(IMAGE).hexdigest()
    image = MachineImage(name=TEMPLATE, sha256=digest, content_sha256=digest, size_bytes=len(IMAGE))
    definition = TemplateDefinition(
        kind=WorkloadKind.BARE_METAL, user="root", layouts=tuple(DiskLayout), machine_image=image
    )
    size = SizeEntry(slug=SIZE, name="small", cores=4, memory_mib=16_384, disk_gib=200, price_cents=3900)
    product = ProductEntry(
        slug=PRODUCT,
        name="Fleet",
        description="A machine that is not there.",
        kind=WorkloadKind.BARE_METAL,
        templates=(TEMPLATE,),
        sizes=(size,),
    )
    template = TemplateEntry(slug=TEMPLATE, name="Fleet OS", version="1", definition=definition)
    return CatalogueDocument(templates=(template,), products=(product,))


def add_machines(database: Database, vault: Vault, fleet: list[Iron]) -> None:
    """Have machines in the pool, as they are after their inspection and first wipe."""
    sealed = vault.seal(BMC_PASSWORD)
    with database.transaction() as transaction:
        session = transaction.session
        site = session.scalars(select(Site.id).where(Site.slug == _SITE)).one()
        wiped_at = session.execute(select(func.now())).scalar_one()
        for iron in fleet:
            label = iron.label
            session.add(
                Machine(
                    id=label.machine_id,
                    name=label.name,
                    site_id=site,
                    machine_class=SIZE,
                    state=MachineState.AVAILABLE,
                    serial=label.serial,
                    boot_mac=label.mac,
                    macs=[label.mac],
                    cores=label.cores,
                    memory_mib=label.memory_mib,
                    disk_gib=label.disk_gib,
                    disk_count=len(iron.disks),
                    facts=iron.facts(serial=label.serial, disks=iron.disks),
                    bmc_driver=BmcDriver.FAKE,
                    bmc_address="http://127.0.0.1:1",
                    bmc_system=label.name,
                    bmc_user=BMC_USER,
                    bmc_password_encrypted=sealed,
                    wiped_at=wiped_at,
                )
            )


def add_customer(session: Session, name: str) -> User:
    """Register a customer with an SSH key."""
    user = User(id=uuid7(), email=f"{name}@fleet.example", password_hash="cannot log in")  # noqa: S106 - no password
    session.add(user)
    session.flush()
    key = SshKey(id=uuid7(), user_id=user.id, name=KEY, public_key=f"{_SSH_KEY} {name}", fingerprint=f"SHA256:{name}")
    session.add(key)
    return user
