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

_NOUNS = {
    WorkloadKind.CLOUD_VM: "virtual machine",
    WorkloadKind.GAME_SERVER: "game server",
    WorkloadKind.BOT: "bot container",
}
_MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True)
class Offer:
    """A request resolved against the catalogue; the price is the catalogue's, never the caller's."""

    product: Product
    size: Size
    template: Template
    version: TemplateVersion
    definition: TemplateDefinition

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
            f"a new {_NOUNS[self.product.kind]} with {cores}, {memory} of memory and {self.size.disk_gib} GiB of disk",
            f"{self.template.name}, ready to use",
            "one public IPv4 address and an IPv6 /64 network",
            "two DNS records (A and AAAA)",
        ]
        ports = ", ".join(f"{rule.ports.replace(':', '-')}/{rule.protocol}" for rule in self.definition.ports)
        lines.append(f"a firewall that lets in {ports}" if ports else "a firewall that lets nothing in")
        return lines


def find_offer(session: Session, request: OrderRequest) -> Offer:
    """Resolve a request against the catalogue.

    Raises:
        InvalidInput: naming the field that the catalogue does not know, or the size that is too small.
    """
    product = session.scalars(select(Product).where(Product.slug == request.product, Product.is_offered)).one_or_none()
    if product is None:
        raise InvalidInput(f"'product': there is no product '{request.product}'", field="product")
    size = session.scalars(
        select(Size).where(Size.product_id == product.id, Size.slug == request.size, Size.is_offered)
    ).one_or_none()
    if size is None:
        raise InvalidInput(f"'size': '{request.product}' has no size '{request.size}'", field="size")
    row = session.execute(
        select(Template, TemplateVersion)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .join(ProductTemplate, ProductTemplate.template_id == Template.id)
        .where(
            Template.slug == request.template,
            TemplateVersion.is_current,
            ProductTemplate.product_id == product.id,
        )
    ).one_or_none()
    if row is None:
        raise InvalidInput(
            f"'template': '{request.product}' cannot be ordered with template '{request.template}'", field="template"
        )
    definition = TemplateDefinition.model_validate(row[1].definition)
    if size.memory_mib < definition.minimum_memory_mib:
        raise InvalidInput(
            f"'size': {row[0].name} needs at least {definition.minimum_memory_mib} MiB of memory, "
            f"size '{size.slug}' has {size.memory_mib} MiB",
            field="size",
        )
    return Offer(product, size, row[0], row[1], definition)
