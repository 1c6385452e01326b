"""Loads the catalogue and the template registry from the document that ships with Slipway."""

from importlib import resources
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import OPERATOR_SHELL, AuditEntry, differences_of_things, record
from api.catalogue.facts import catalogue_facts
from api.catalogue.models import Product, ProductTemplate, Size
from api.errors import Conflict
from api.templates.definition import TemplateDefinition
from api.templates.models import Template, TemplateVersion
from components.specs import WorkloadKind
from components.specs.platform.node_templates import ImageSpec

_Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TemplateEntry(_Strict):
    """A template with its current version.

    ``image`` is what nodes make the version of. It is for the platform's stacks, which are held against it, and is in
    no table: where a version lies on a node is told by the stack that has made it.
    """

    slug: _Slug
    name: str
    version: str
    image: ImageSpec | None = None
    definition: TemplateDefinition


class SizeEntry(_Strict):
    """A size and its price in cents a month, which is 50 at least: Stripe takes no card payment below that."""

    slug: _Slug
    name: str
    cores: Annotated[int, Field(ge=1)]
    memory_mib: Annotated[int, Field(ge=128)]
    disk_gib: Annotated[int, Field(ge=1)]
    price_cents: Annotated[int, Field(ge=50)]


class ProductEntry(_Strict):
    """A product, the templates it can be ordered with, and its sizes; of bare metal, a size is a class of machines."""

    slug: _Slug
    name: str
    description: str
    kind: WorkloadKind
    templates: tuple[str, ...]
    sizes: tuple[SizeEntry, ...]


class CatalogueDocument(_Strict):
    """The whole catalogue."""

    templates: tuple[TemplateEntry, ...]
    products: tuple[ProductEntry, ...]

    @model_validator(mode="after")
    def _templates_fit(self) -> Self:
        kinds = {template.slug: template.definition.kind for template in self.templates}
        for product in self.products:
            for slug in product.templates:
                if kinds.get(slug) is not product.kind:
                    raise ValueError(
                        f"product '{product.slug}' names template '{slug}', which is no {product.kind} template here"
                    )
        return self


def load_catalogue() -> CatalogueDocument:
    """Read the catalogue that ships with Slipway."""
    text = resources.files("api.catalogue").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    return CatalogueDocument.model_validate(yaml.safe_load(text))


def seed_catalogue(session: Session, document: CatalogueDocument, currency: str = "eur") -> None:
    """Bring products, sizes and templates to what the document says; safe to repeat, and records what it changed.

    What the document no longer names stays in the tables, for the orders that point at it, but is not offered.

    Raises:
        Conflict: if a published template version, or a template's kind, would change.
    """
    before = catalogue_facts(session)
    _seed(session, document, currency)
    diff = differences_of_things(before, catalogue_facts(session))
    if diff:
        entry = AuditEntry(
            action="catalogue.seed",
            actor=OPERATOR_SHELL,
            subject_type="catalogue",
            subject_id="catalogue",
            reason=f"a catalogue document changed {len(diff)} things",
            diff=diff,
        )
        record(session, entry)


def _seed(session: Session, document: CatalogueDocument, currency: str) -> None:
    for template in document.templates:
        _seed_template(session, template)
    session.execute(update(Product).values(is_offered=False))
    session.execute(update(Size).values(is_offered=False))
    for product in document.products:
        _seed_product(session, product, currency)


def _seed_template(session: Session, entry: TemplateEntry) -> None:
    template = session.scalars(select(Template).where(Template.slug == entry.slug)).one_or_none()
    if template is None:
        template = Template(id=uuid7(), slug=entry.slug, name=entry.name, kind=entry.definition.kind)
        session.add(template)
    if template.kind is not entry.definition.kind:
        raise Conflict(f"template '{entry.slug}' is for a {template.kind} and stays so: give the new one another slug")
    template.name = entry.name
    session.flush()
    definition = entry.definition.model_dump(mode="json")
    version = session.scalars(
        select(TemplateVersion).where(
            TemplateVersion.template_id == template.id, TemplateVersion.version == entry.version
        )
    ).one_or_none()
    if version is None:
        version = TemplateVersion(id=uuid7(), template_id=template.id, version=entry.version, definition=definition)
        session.add(version)
    elif TemplateDefinition.model_validate(version.definition) != entry.definition:
        raise Conflict(
            f"template '{entry.slug}' version '{entry.version}' is published and cannot change: give it a new version"
        )
    session.flush()
    session.execute(
        update(TemplateVersion)
        .where(TemplateVersion.template_id == template.id, TemplateVersion.id != version.id)
        .values(is_current=False)
    )
    version.is_current = True
    session.flush()


def _seed_product(session: Session, entry: ProductEntry, currency: str) -> None:
    values = {"name": entry.name, "description": entry.description, "kind": entry.kind, "is_offered": True}
    product_id = session.execute(
        insert(Product)
        .values(id=uuid7(), slug=entry.slug, **values)
        .on_conflict_do_update(index_elements=["slug"], set_=values)
        .returning(Product.id)
    ).scalar_one()
    for size in entry.sizes:
        columns = {**size.model_dump(exclude={"slug"}), "currency": currency, "is_offered": True}
        session.execute(
            insert(Size)
            .values(id=uuid7(), product_id=product_id, slug=size.slug, **columns)
            .on_conflict_do_update(index_elements=["product_id", "slug"], set_=columns)
        )
    template_ids = session.scalars(select(Template.id).where(Template.slug.in_(entry.templates))).all()
    session.execute(
        delete(ProductTemplate).where(
            ProductTemplate.product_id == product_id, ProductTemplate.template_id.not_in(template_ids)
        )
    )
    for template_id in template_ids:
        session.execute(
            insert(ProductTemplate).values(product_id=product_id, template_id=template_id).on_conflict_do_nothing()
        )
