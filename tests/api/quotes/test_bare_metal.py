"""Quotes for machines of one's own: which machine it would be, and nothing held."""

from api.quotes.models import Quote, QuoteStatus
from api.quotes.planning import QuotePlans
from api.quotes.service import LIFETIME
from components.specs import BareMetalSpec
from components.specs.machine import MachineState
from tests.factories.orders import BARE_METAL, order_request
from tests.fixtures.metal_shop import MetalShop


def ask(metal_shop: MetalShop, **changes: object) -> Quote:
    """Ask for a quote of a small machine, as a new customer."""
    shop = metal_shop.stable.shop
    return shop.quotes.request(shop.customer(), order_request(**(BARE_METAL | changes)))


def test_a_quote_names_the_machine_and_holds_nothing(metal_shop: MetalShop) -> None:
    """Its price, its place and what is in it are there at once."""
    machine = metal_shop.add_machine()
    quote = ask(metal_shop, layout="raid1")
    assert (quote.price_cents, quote.is_available, quote.status) == (3900, True, QuoteStatus.PLANNING)
    assert quote.place == f"FSN machine {machine.name}"
    assert "a machine of your own with 4 cores, 16 GiB of memory and 200 GiB of disk" in quote.includes
    assert "the system on two disks, mirrored (RAID 1)" in quote.includes
    assert metal_shop.stable.state(machine) is MachineState.AVAILABLE


def test_what_is_quoted_is_what_would_be_ordered(metal_shop: MetalShop) -> None:
    """The same machine, addresses and image, as long as nobody comes in between."""
    metal_shop.add_machine()
    quoted = BareMetalSpec.model_validate(ask(metal_shop).spec)
    ordered = metal_shop.spec(metal_shop.place(name=quoted.hostname))
    assert quoted.machine == ordered.machine
    assert quoted.profile == ordered.profile


def test_the_worker_needs_no_credential_to_plan_it(metal_shop: MetalShop) -> None:
    """Nothing is asked of a machine before it is ordered, so neither node nor BMC is told."""
    metal_shop.add_machine()
    quote = ask(metal_shop)
    claimed = metal_shop.stable.change(lambda session: QuotePlans(session).claim(quote.id, LIFETIME))
    assert claimed is not None
    assert claimed.node is None
    assert claimed.spec == quote.spec


def test_a_class_that_is_sold_out_has_a_price_and_no_plan(metal_shop: MetalShop) -> None:
    """Nobody is asked to wait for it."""
    quote = ask(metal_shop)
    assert (quote.price_cents, quote.is_available, quote.status) == (3900, False, QuoteStatus.FAILED)
