"""Reads the catalogue: three queries, however long it is."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalogue.models import Product, ProductTemplate, Size
from api.catalogue.schemas import ProductView, SizeView, TemplateView
from api.templates.definition import TemplateDefinition
from api.templates.models import Template, TemplateVersion


def list_products(session: Session) -> list[ProductView]:
    """Return all products that are offered, cheapest size first."""
    sizes: dict[UUID, list[SizeView]] = defaultdict(list)
    for size in session.scalars(select(Size).where(Size.is_offered).order_by(Size.price_cents)):
        sizes[size.product_id].append(SizeView.model_validate(size))
    templates: dict[UUID, list[TemplateView]] = defaultdict(list)
    rows = session.execute(
        select(ProductTemplate.product_id, Template, TemplateVersion)
        .join(Template, Template.id == ProductTemplate.template_id)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .where(TemplateVersion.is_current)
        .order_by(Template.slug)
    )
    for product_id, template, version in rows:
        definition = TemplateDefinition.model_validate(version.definition)
        templates[product_id].append(
            TemplateView(
                slug=template.slug,
                name=template.name,
                version=version.version,
                minimum_memory_mib=definition.minimum_memory_mib,
                layouts=list(definition.layouts),
            )
        )
    products = session.scalars(select(Product).where(Product.is_offered).order_by(Product.slug))
    return [
        ProductView(
            slug=product.slug,
            name=product.name,
            description=product.description,
            kind=product.kind,
            sizes=sizes[product.id],
            templates=templates[product.id],
        )
        for product in products
    ]
