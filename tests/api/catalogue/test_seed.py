"""The catalogue is brought to what its document says, and published things do not change."""

from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.catalogue.models import Product, ProductTemplate, Size
from api.catalogue.repository import list_products
from api.catalogue.schemas import ProductView
from api.catalogue.seed import CatalogueDocument, load_catalogue, seed_catalogue
from api.errors import Conflict, InvalidInput
from api.templates.models import Template, TemplateVersion
from components.specs import WorkloadKind
from tests.fixtures.shop import Shop

COUNTED = (Template, TemplateVersion, Product, Size, ProductTemplate)


def document(**changes: Any) -> dict[str, Any]:
    """Return a catalogue of one bot in one size."""
    size = {"slug": "nano", "name": "Nano", "cores": 1, "memory_mib": 256, "disk_gib": 2, "price_cents": 150}
    template = {
        "slug": "python-bot",
        "name": "Python bot",
        "version": "1",
        "definition": {"kind": "bot", "start_command": ["python3", "main.py"]},
    }
    product = {
        "slug": "bot",
        "name": "Bot",
        "description": "A bot.",
        "kind": "bot",
        "templates": ["python-bot"],
        "sizes": [size | changes.get("size", {})],
    }
    return {
        "templates": [template | changes.get("template", {})],
        "products": [product | changes.get("product", {})],
    }


def seed(shop: Shop, content: dict[str, Any] | None = None, currency: str = "eur") -> None:
    """Seed the catalogue."""
    parsed = CatalogueDocument.model_validate(content or document())
    shop.change(lambda session: seed_catalogue(session, parsed, currency))


def offered(shop: Shop) -> list[ProductView]:
    """Return what customers see."""
    return shop.change(list_products)


def test_seeding_twice_is_seeding_once(empty_shop: Shop) -> None:
    """Every start of the system does it."""
    for _ in range(2):
        empty_shop.change(lambda session: seed_catalogue(session, load_catalogue()))
        assert [len(empty_shop.all(model)) for model in COUNTED] == [8, 8, 4, 11, 8]


def test_the_shipped_catalogue_sells_every_kind_with_sizes_and_templates(shop: Shop) -> None:
    """Game server, bot, cloud VM and bare metal, cheapest size first."""
    found = offered(shop)
    assert {product.kind for product in found} == set(WorkloadKind)
    for product in found:
        prices = [size.price_cents for size in product.sizes]
        assert prices == sorted(prices)
        assert product.templates


def test_a_new_price_holds_for_new_orders_only(shop: Shop) -> None:
    """An order carries the price that stood when it was placed."""
    before = shop.place(product="bot", size="nano", template="python-bot", ssh_keys=[])
    shipped = load_catalogue().model_dump(mode="json")
    shipped["products"][2]["sizes"][0]["price_cents"] = 175
    seed(shop, shipped)
    after = shop.place(product="bot", size="nano", template="python-bot", ssh_keys=[])
    assert [shop.order(order).price_cents for order in (before, after)] == [150, 175]


def test_a_published_version_cannot_change(empty_shop: Shop) -> None:
    """Workloads made from it could not be made again; the error says what to do."""
    seed(empty_shop)
    changed = document(template={"definition": {"kind": "bot", "start_command": ["python3", "other.py"]}})
    with pytest.raises(Conflict, match="'python-bot' version '1' is published and cannot change: give it a new"):
        seed(empty_shop, changed)


def test_a_definition_that_was_stored_before_a_field_was_added_is_the_same(empty_shop: Shop) -> None:
    """A release that knows more of templates must not take what is published for changed."""
    seed(empty_shop)

    def as_before(session: Session) -> None:
        version = session.scalars(select(TemplateVersion)).one()
        stored = version.definition.items()
        version.definition = {name: value for name, value in stored if name not in {"machine_image", "layouts"}}

    empty_shop.change(as_before)
    seed(empty_shop)
    assert len(empty_shop.all(TemplateVersion)) == 1


def test_a_new_version_becomes_current_and_the_old_one_stays(empty_shop: Shop) -> None:
    """Running workloads keep theirs."""
    seed(empty_shop)
    newer = {"version": "2", "name": "Python 3.13 bot"}
    seed(empty_shop, document(template=newer))
    assert {row.version: row.is_current for row in empty_shop.all(TemplateVersion)} == {"1": False, "2": True}
    (template,) = offered(empty_shop)[0].templates
    assert (template.version, template.name) == ("2", "Python 3.13 bot")


def test_going_back_to_an_older_version_is_possible(empty_shop: Shop) -> None:
    """When the new one turns out to be bad."""
    for version in ("1", "2", "1"):
        seed(empty_shop, document(template={"version": version}))
    assert {row.version: row.is_current for row in empty_shop.all(TemplateVersion)} == {"1": True, "2": False}


def test_a_template_does_not_change_its_kind(empty_shop: Shop) -> None:
    """A bot's image cannot boot as a VM."""
    seed(empty_shop)
    other = {
        "template": {"version": "2", "definition": {"kind": "cloud_vm", "user": "root"}},
        "product": {"kind": "cloud_vm"},
    }
    with pytest.raises(Conflict, match="'python-bot' is for a bot and stays so"):
        seed(empty_shop, document(**other))


def test_what_the_document_drops_is_no_longer_offered(empty_shop: Shop) -> None:
    """Products, sizes and choices of template; their rows stay for the orders that name them."""
    empty_shop.change(lambda session: seed_catalogue(session, load_catalogue()))
    seed(empty_shop, document(template={"version": "4"}))
    (product,) = offered(empty_shop)
    assert (product.slug, [size.slug for size in product.sizes]) == ("bot", ["nano"])
    assert [template.slug for template in product.templates] == ["python-bot"]
    assert len(empty_shop.all(Size)) == 11


def test_a_withdrawn_size_cannot_be_ordered(shop: Shop) -> None:
    """Also by somebody who still has the old page open."""
    shipped = load_catalogue().model_dump(mode="json")
    del shipped["products"][0]["sizes"][0]
    seed(shop, shipped)
    with pytest.raises(InvalidInput, match="'size': 'cloud-vm' has no size 'small'"):
        shop.place()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (document(product={"templates": ["node-bot"]}), "product 'bot' names template 'node-bot'"),
        (document(product={"kind": "cloud_vm"}), "names template 'python-bot', which is no cloud_vm template"),
        (document(size={"price_cents": 0}), "price_cents"),
        (document(size={"price_cents": 49}), "price_cents"),
        (document(size={"cores": -1}), "cores"),
        (document(size={"slug": "Größe"}), "slug"),
        (document(size={"discount": 1}), "discount"),
        (document(template={"definition": {"kind": "bot"}}), "start_command"),
    ],
)
def test_a_document_that_could_not_be_sold_from_is_refused(content: dict[str, Any], complaint: str) -> None:
    """Each error names the field or the entry; Stripe takes no card payment below 50 cents."""
    with pytest.raises(ValidationError, match=complaint):
        CatalogueDocument.model_validate(content)


def test_sizes_carry_the_configured_currency(empty_shop: Shop) -> None:
    """One shop, one currency."""
    seed(empty_shop, currency="chf")
    assert {size.currency for size in empty_shop.all(Size)} == {"chf"}
