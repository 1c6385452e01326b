"""What the catalogue is at a moment: held against what it is after a change, it tells the audit trail what changed."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalogue.models import Product, ProductTemplate, Size
from api.templates.models import Template, TemplateVersion

_SIZE = (Size.name, Size.cores, Size.memory_mib, Size.disk_gib, Size.price_cents, Size.currency, Size.is_offered)


def catalogue_facts(session: Session) -> dict[str, dict[str, Any]]:
    """Return what is offered, by kind and name; prices in cents a month."""
    facts: dict[str, dict[str, Any]] = {}
    for template in session.execute(
        select(Template.slug, Template.name, TemplateVersion.version)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .where(TemplateVersion.is_current)
    ):
        facts[f"template {template.slug}"] = {"name": template.name, "version": template.version}
    for product in session.execute(select(Product.slug, Product.name, Product.description, Product.is_offered)):
        shown = {"name": product.name, "description": product.description, "is_offered": product.is_offered}
        facts[f"product {product.slug}"] = {**shown, "templates": []}
    for product_slug, template_slug in session.execute(
        select(Product.slug, Template.slug)
        .join(ProductTemplate, ProductTemplate.product_id == Product.id)
        .join(Template, Template.id == ProductTemplate.template_id)
        .order_by(Template.slug)
    ):
        facts[f"product {product_slug}"]["templates"].append(template_slug)
    query = select(Product.slug.label("product"), Size.slug, *_SIZE).join(Size, Size.product_id == Product.id)
    for size in session.execute(query):
        facts[f"size {size.product} {size.slug}"] = {column.key: getattr(size, column.key) for column in _SIZE}
    return facts
