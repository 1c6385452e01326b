"""Quotes: a price at once, a plan later, nothing reserved."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, update

from api.errors import NoCapacity, NotFound, RateLimited
from api.inventory.models import Allocation
from api.ipam.models import Address, AddressState
from api.jobs import Job
from api.orders.models import Order
from api.quotes.models import Quote, QuoteStatus
from api.quotes.repository import QuoteRepository
from api.quotes.service import MOST_PENDING
from components.specs import parse_guest_spec
from tests.factories.estate import estate, ipv4_pools, ipv6_pool, node_for
from tests.factories.orders import BOT, GAME_SERVER, order_request
from tests.fixtures.shop import Shop
from tests.races import at_once


def ask(shop: Shop, owner: UUID | None = None, **changes: Any) -> Quote:
    """Ask for a quote, as a new customer unless one is named."""
    return shop.quotes.request(owner or shop.customer(), order_request(**changes))


def test_a_quote_says_the_price_and_holds_nothing(shop: Shop) -> None:
    """A worker is asked for its plan; until then it is being planned."""
    quote = ask(shop)

    assert (quote.price_cents, quote.currency, quote.is_available) == (450, "eur", True)
    assert (quote.status, quote.summary, quote.error) == (QuoteStatus.PLANNING, None, None)
    assert shop.jobs.of(Job.PREVIEW_QUOTE) == [(quote.id,)]
    assert not [row for row in shop.all(Address) if row.state is not AddressState.FREE]
    assert (list(shop.all(Order)), list(shop.all(Allocation))) == ([], [])
    assert not any(map(any, shop.room_used().values()))


@pytest.mark.parametrize("changes", [{}, GAME_SERVER | {"ssh_keys": ()}, BOT | {"ssh_keys": ()}])
def test_what_is_quoted_is_what_would_be_ordered(shop: Shop, changes: dict[str, Any]) -> None:
    """The same node, VMID, addresses and everything else, as long as nobody comes in between; ids are its own."""
    owner = shop.customer()
    quote = ask(shop, owner, **changes)
    quoted = parse_guest_spec(quote.spec or {})

    order_id = shop.place(owner, **{"name": quoted.hostname, **changes})

    ordered = parse_guest_spec(shop.workload(order_id).desired)
    same = {"placement", "resources", "network", "hostname", "ssh_keys", "kind"}
    assert quoted.model_dump(include=same) == ordered.model_dump(include=same)
    assert (quoted.workload_id, quote.place) == (quote.id, f"FSN node {ordered.placement.node}")


def test_the_next_quote_looks_at_the_same_place(shop: Shop) -> None:
    """Nothing was taken, not even a VMID."""
    first, second = (parse_guest_spec(ask(shop).spec or {}) for _ in range(2))

    assert first.placement == second.placement
    assert first.network == second.network


def test_a_quote_after_an_order_looks_at_what_comes_next(shop: Shop) -> None:
    """What was handed out is not offered again."""
    before = parse_guest_spec(ask(shop).spec or {})
    shop.place()
    after = parse_guest_spec(ask(shop).spec or {})

    assert after.placement.vmid == before.placement.vmid + 1
    assert after.network.ipv4 != before.network.ipv4
    assert after.network.ipv6 != before.network.ipv6


def test_a_quote_says_when_there_is_no_room(empty_shop: Shop) -> None:
    """Before the customer has filled in anything else; nothing is planned then."""
    empty_shop.stock(estate(nodes=[node_for(1)]))
    sold_out = ask(empty_shop, size="medium")

    assert (sold_out.is_available, sold_out.status) == (False, QuoteStatus.FAILED)
    assert sold_out.error == "There is no room for it at the moment."
    assert empty_shop.jobs.of(Job.PREVIEW_QUOTE) == []
    assert ask(empty_shop, size="small").is_available is True


def test_a_quote_says_when_there_is_no_address(empty_shop: Shop) -> None:
    """Room on a node is not enough."""
    empty_shop.stock(estate(pools=[*ipv4_pools(1), ipv6_pool()]))
    empty_shop.place()
    assert ask(empty_shop).is_available is False
    with pytest.raises(NoCapacity):
        empty_shop.place()


def test_a_customer_has_only_a_few_quotes_planned_at_once(shop: Shop) -> None:
    """However they are asked for; another customer is not held up, and a plan that was made frees a place."""
    owner = shop.customer()
    answers = at_once([lambda: ask(shop, owner)] * (MOST_PENDING + 3))

    refused = [answer for answer in answers if isinstance(answer, RateLimited)]
    assert (len(refused), len(shop.all(Quote))) == (3, MOST_PENDING)
    assert refused[0].fields["retry_after_seconds"] > 0
    assert ask(shop).status is QuoteStatus.PLANNING
    shop.change(lambda session: session.execute(update(Quote).values(status=QuoteStatus.READY)))
    assert ask(shop, owner).status is QuoteStatus.PLANNING


def test_nobody_reads_anothers_quote_nor_an_expired_one(shop: Shop) -> None:
    """The two are not told apart."""
    quote = ask(shop)
    read = shop.change(lambda session: QuoteRepository(session, quote.owner_id).get(quote.id))
    assert read.id == quote.id
    with pytest.raises(NotFound):
        shop.change(lambda session: QuoteRepository(session, shop.customer()).get(quote.id))
    shop.change(lambda session: session.execute(update(Quote).values(expires_at=func.now())))
    with pytest.raises(NotFound, match="expired"):
        shop.change(lambda session: QuoteRepository(session, quote.owner_id).get(quote.id))
