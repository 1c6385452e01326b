"""Finds what a request names in the catalogue, and says it in plain words."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalogue.models import Product, ProductTemplate, Size
from api.errors import InvalidInput
from api.orders.schemas import OrderRequest
from api.templates.definition import TemplateDefinition
from api.templates.models import Template, TemplateVersion
from components.specs import Resources, WorkloadKind
from components.specs.machine import DiskLayout

_NOUNS = {
    WorkloadKind.CLOUD_VM: "a new virtual machine",
    WorkloadKind.GAME_SERVER: "a new game server",
    WorkloadKind.BOT: "a new bot container",
    WorkloadKind.BARE_METAL: "a machine of your own",
}
_LAYOUTS = {
    DiskLayout.SINGLE: "the system on one disk",
    DiskLayout.RAID1: "the system on two disks, mirrored (RAID 1)",
}
_MIB_PER_GIB = 1024
_BYTES_PER_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Offer:
    """A request resolved against the catalogue; the price is the catalogue's, never the caller's.

    Attributes:
        layout: how a machine's disks are used; None for guests.
    """

    product: Product
    size: Size
    template: Template
    version: TemplateVersion
    definition: TemplateDefinition
    layout: DiskLayout | None = None

    @property
    def is_machine(self) -> bool:
        """Whether a machine of the pool is ordered, whose class is the size's slug, and no guest of a node."""
        return self.product.kind is WorkloadKind.BARE_METAL

    @property
    def resources(self) -> Resources:
        """What the size grants."""
        return Resources(cores=self.size.cores, memory_mib=self.size.memory_mib, disk_gib=self.size.disk_gib)

    @property
    def description(self) -> str:
        """One line for the payment page and the invoice."""
        return f"{self.product.name}, {self.size.name}, {self.template.name}"

    def includes(self) -> list[str]:
        """Say what would be made, in words for a customer."""
        cores = f"{self.size.cores} core" + ("s" if self.size.cores > 1 else "")
        memory = (
            f"{self.size.memory_mib // _MIB_PER_GIB} GiB"
            if self.size.memory_mib % _MIB_PER_GIB == 0
            else f"{self.size.memory_mib} MiB"
        )
        lines = [
            f"{_NOUNS[self.product.kind]} with {cores}, {memory} of memory and {self.size.disk_gib} GiB of disk",
            f"{self.template.name}, ready to use",
            "one public IPv4 address and an IPv6 /64 network",
            "two DNS records (A and AAAA)",
        ]
        if self.layout is not None:
            return [*lines, _LAYOUTS[self.layout], "a firewall only as you make it: everything reaches the machine"]
        ports = ", ".join(f"{rule.ports.replace(':', '-')}/{rule.protocol}" for rule in self.definition.ports)
        lines.append(f"a firewall that lets in {ports}" if ports else "a firewall that lets nothing in")
        return lines


def find_offer(session: Session, request: OrderRequest) -> Offer:
    """Resolve a request against the catalogue.

    Raises:
        InvalidInput: naming the field that the catalogue does not know, or the size or layout that does not fit.
    """
    product = session.scalars(select(Product).where(Product.slug == request.product, Product.is_offered)).one_or_none()
    if product is None:
        raise InvalidInput(f"'product': there is no product '{request.product}'", field="product")
    size = session.scalars(
        select(Size).where(Size.product_id == product.id, Size.slug == request.size, Size.is_offered)
    ).one_or_none()
    if size is None:
        raise InvalidInput(f"'size': '{request.product}' has no size '{request.size}'", field="size")
    template, version, definition = find_template(session, product, size, request.template)
    return Offer(product, size, template, version, definition, chosen_layout(definition, request.layout))


def find_template(
    session: Session, product: Product, size: Size, slug: str
) -> tuple[Template, TemplateVersion, TemplateDefinition]:
    """Return a template that a product can be ordered or installed with, in its current version.

    Raises:
        InvalidInput: if there is none of that name, or it needs a larger size.
    """
    row = session.execute(
        select(Template, TemplateVersion)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .join(ProductTemplate, ProductTemplate.template_id == Template.id)
        .where(Template.slug == slug, TemplateVersion.is_current, ProductTemplate.product_id == product.id)
    ).one_or_none()
    if row is None:
        raise InvalidInput(f"'template': '{product.slug}' cannot be ordered with template '{slug}'", field="template")
    definition = TemplateDefinition.model_validate(row[1].definition)
    _check_fit(size, row[0].name, definition)
    return row[0], row[1], definition


def _check_fit(size: Size, name: str, definition: TemplateDefinition) -> None:
    if size.memory_mib < definition.minimum_memory_mib:
        raise InvalidInput(
            f"'size': {name} needs at least {definition.minimum_memory_mib} MiB of memory, "
            f"size '{size.slug}' has {size.memory_mib} MiB",
            field="size",
        )
    image = definition.machine_image
    if image is not None and size.disk_gib * _BYTES_PER_GIB < image.size_bytes:
        raise InvalidInput(f"'size': {name} does not fit on the {size.disk_gib} GiB of '{size.slug}'", field="size")


def chosen_layout(definition: TemplateDefinition, wanted: DiskLayout | None) -> DiskLayout | None:
    """Return how a machine's disks are used with a template; None for what has no machine.

    Raises:
        InvalidInput: if it is no machine's template, or cannot be installed like that.
    """
    if not definition.layouts:
        if wanted is not None:
            raise InvalidInput("'layout': only a bare-metal machine has one: leave it out", field="layout")
        return None
    if wanted is not None and wanted not in definition.layouts:
        raise InvalidInput(
            f"'layout': this template cannot be installed as '{wanted}', only as {', '.join(definition.layouts)}",
            field="layout",
        )
    return wanted or definition.layouts[0]
