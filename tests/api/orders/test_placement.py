"""Placing orders: everything or nothing, once for a key, before any money."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, update

from api.auth.models import SshKey
from api.billing.models import Checkout
from api.dns.models import DnsZone
from api.errors import Conflict, IdempotencyMismatch, InvalidInput, NoCapacity, PaymentsUnavailable
from api.inventory.models import Allocation
from api.ipam.models import Address, AddressState
from api.orders.models import IdempotencyKey, Order, OrderStatus
from api.orders.placement import PlacedOrder
from api.quotes.models import Quote
from api.workloads.models import Workload
from components.specs import parse_guest_spec
from tests.factories.estate import estate, ipv4_pools, ipv6_pool, node_for
from tests.factories.orders import BOT, GAME_SERVER, order_request
from tests.fakes.workload_specs import OTHER_SSH_KEY, SSH_KEY
from tests.fixtures.shop import EVERYTHING, Shop
from tests.races import at_once


def quote(shop: Shop, **changes: Any) -> Quote:
    """Ask for a quote as a new customer."""
    return shop.quotes.request(shop.customer(), order_request(**changes))


def is_untouched(shop: Shop) -> bool:
    """Tell whether nothing at all is held, ordered or asked of the payment provider."""
    held = [row for row in shop.all(Address) if row.state is not AddressState.FREE]
    orders = (*shop.all(Order), *shop.all(Workload), *shop.all(Allocation), *shop.all(IdempotencyKey))
    return not (held or orders or shop.payments.requests or any(map(any, shop.room_used().values())))


def test_an_order_holds_everything_it_needs_before_it_is_paid(shop: Shop) -> None:
    """Node, VMID, addresses, DNS label: from here on, nothing can fail to fit."""
    order_id = shop.place(name="build-box", ssh_keys=["desktop", "laptop"])
    order, workload = shop.order(order_id), shop.workload(order_id)
    assert (order.status, order.price_cents, order.currency) == (OrderStatus.PENDING_PAYMENT, 450, "eur")
    assert shop.held(order_id) == EVERYTHING
    spec = parse_guest_spec(workload.desired)
    assert (spec.hostname, spec.placement.node, spec.placement.vmid) == ("build-box", "cloud-1", workload.vmid)
    assert spec.ssh_keys == (OTHER_SSH_KEY, SSH_KEY)
    assert (workload.has_stack, shop.operations(order_id)) == (False, [])


def test_the_customer_is_asked_for_the_catalogue_s_price(shop: Shop) -> None:
    """The payment page is made for this order, with an end."""
    order_id = shop.place()
    (request,) = shop.payments.requests
    assert (request.order_id, request.amount_cents, request.currency) == (order_id, 450, "eur")
    assert request.expires_at > datetime.now(UTC) + timedelta(minutes=30)
    assert shop.checkout(order_id).url == f"https://checkout.example.com/cs_test_{order_id.hex}"


def test_stack_names_are_opaque_and_free_of_underscores(shop: Shop) -> None:
    """An underscore is a wildcard in the state store's prefix queries."""
    workload = shop.workload(shop.place(name="my-name"))
    assert re.fullmatch(r"[a-z0-9-]{1,63}", workload.stack)
    assert "my-name" not in workload.stack


def test_stack_passphrases_are_sealed_and_differ(shop: Shop) -> None:
    """One stolen passphrase opens one stack."""
    sealed = [shop.workload(shop.place()).passphrase_encrypted for _ in range(2)]
    assert len({shop.vault.open(found) for found in sealed}) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product": "mainframe"}, "product"),
        ({"size": "galactic"}, "size"),
        ({"template": "windows-95"}, "template"),
        ({"ssh_keys": ["unknown"]}, "ssh_keys"),
        ({"ssh_keys": []}, "ssh_keys"),
    ],
)
def test_a_request_that_cannot_be_meant_holds_nothing(shop: Shop, change: dict[str, Any], field: str) -> None:
    """Quote and order refuse it alike, naming the field."""
    with pytest.raises(InvalidInput, match=f"'{field}'"):
        quote(shop, **change)
    with pytest.raises(InvalidInput, match=f"'{field}'") as caught:
        shop.place(**change)
    assert caught.value.fields == {"field": field}
    assert is_untouched(shop)


def test_another_customer_s_key_is_not_known(shop: Shop) -> None:
    """Key names are looked up in the customer's own account."""
    stranger = shop.customer()
    shop.change(
        lambda session: session.execute(
            update(SshKey).where(SshKey.user_id == stranger, SshKey.name == "laptop").values(name="theirs")
        )
    )
    with pytest.raises(InvalidInput, match="no SSH key named 'theirs'"):
        shop.place(ssh_keys=["theirs"])


def test_a_key_named_twice_is_given_once(shop: Shop) -> None:
    """The guest's list of keys has no doubles."""
    workload = shop.workload(shop.place(ssh_keys=["laptop", "laptop"]))
    assert workload.desired["ssh_keys"] == [SSH_KEY]


def test_a_container_needs_no_key(shop: Shop) -> None:
    """A game server is ready to use without a shell."""
    assert shop.workload(shop.place(**GAME_SERVER, ssh_keys=[])).desired["ssh_keys"] == []


def test_a_name_is_used_once_by_one_customer(shop: Shop) -> None:
    """The error names the field; another customer may use the name."""
    owner = shop.customer()
    shop.place(owner, name="box")
    with pytest.raises(InvalidInput, match="you already have a workload 'box'") as caught:
        shop.place(owner, name="box")
    assert caught.value.fields == {"field": "name"}
    shop.place(shop.customer(), name="box")


def test_a_name_is_free_again_when_its_workload_is_gone(shop: Shop) -> None:
    """An order that was not paid does not block its name."""
    owner = shop.customer()
    first = shop.place(owner, name="box")
    shop.fulfil(first, lambda fulfilment, order: fulfilment.expiry(order))
    assert shop.place(owner, name="box") != first


def test_one_name_for_two_products_at_once_goes_to_one(shop: Shop) -> None:
    """Two tabs, two keys, one name: one order and one clear refusal, however they interleave."""
    owner = shop.customer()
    answers = at_once(
        [
            partial(shop.place, owner, name="box"),
            partial(shop.place, owner, **BOT | {"name": "box"}, ssh_keys=[]),
        ]
    )
    refused = [answer for answer in answers if isinstance(answer, InvalidInput)]
    assert [error.fields for error in refused] == [{"field": "name"}]
    assert len(shop.all(Order)) == 1


def test_the_same_key_and_body_is_the_same_order(shop: Shop) -> None:
    """A client that lost the answer asks again."""
    owner = shop.customer()
    first = shop.placement.place(owner, order_request(), "the-same-key")
    again = shop.placement.place(owner, order_request(), "the-same-key")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.order_id == again.order_id
    assert len(shop.payments.requests) == 1


def test_the_same_key_with_another_body_is_refused(shop: Shop) -> None:
    """It is a mistake of the client; the first order stands."""
    owner = shop.customer()
    first = shop.place(owner, "the-same-key", size="small", name="box")
    with pytest.raises(IdempotencyMismatch, match="make a new key"):
        shop.place(owner, "the-same-key", size="large", name="box")
    assert [order.id for order in shop.all(Order)] == [first]


def test_a_key_belongs_to_its_customer(shop: Shop) -> None:
    """Two customers who happen to choose one key get an order each."""
    assert shop.place(key="the-same-key") != shop.place(key="the-same-key")


def test_a_failed_try_does_not_spend_its_key(empty_shop: Shop) -> None:
    """Sold out now, bought later, with the same key."""
    empty_shop.stock(estate(nodes=[node_for(1)]))
    in_the_way = empty_shop.place()
    owner = empty_shop.customer()
    with pytest.raises(NoCapacity):
        empty_shop.place(owner, "the-same-key", name="box")
    empty_shop.fulfil(in_the_way, lambda fulfilment, order: fulfilment.expiry(order))
    assert empty_shop.order(empty_shop.place(owner, "the-same-key", name="box")).owner_id == owner


def test_eight_clicks_at_once_make_one_order(shop: Shop) -> None:
    """One order, one page to pay on, one new and seven old answers (F29)."""
    owner = shop.customer()
    click = partial(shop.placement.place, owner, order_request(), "the-same-key")
    answers = [answer for answer in at_once([click] * 8) if isinstance(answer, PlacedOrder)]
    assert len(answers) == 8
    assert len({answer.order_id for answer in answers}) == 1
    assert [answer.is_new for answer in answers].count(True) == 1
    assert len(shop.all(Order)) == len({request.order_id for request in shop.payments.requests}) == 1


def test_eight_clicks_on_the_last_place_make_one_order(empty_shop: Shop) -> None:
    """The second click must not hear "sold out" because of the first one."""
    empty_shop.stock(estate(nodes=[node_for(1)]))
    owner = empty_shop.customer()
    click = partial(empty_shop.placement.place, owner, order_request(), "the-same-key")
    answers = at_once([click] * 8)
    assert {answer.order_id for answer in answers if isinstance(answer, PlacedOrder)} == {empty_shop.all(Order)[0].id}
    assert not [answer for answer in answers if not isinstance(answer, PlacedOrder)]


def test_one_key_with_two_bodies_at_once_makes_one_order(shop: Shop) -> None:
    """One of them wins, the other is told."""
    owner = shop.customer()
    requests = [order_request(name="one"), order_request(name="two")]
    answers = at_once([partial(shop.placement.place, owner, request, "the-same-key") for request in requests])
    assert sorted(type(answer).__name__ for answer in answers) == ["IdempotencyMismatch", "PlacedOrder"]
    assert len(shop.all(Order)) == 1


def test_an_order_survives_stripe_being_away(shop: Shop) -> None:
    """The reservation stands; the same key goes on where it stopped, and one page is made."""
    owner = shop.customer()
    shop.payments.is_reachable = False
    with pytest.raises(PaymentsUnavailable):
        shop.place(owner, "the-same-key", name="box")
    (order,) = shop.all(Order)
    assert (order.status, shop.held(order.id)) == (OrderStatus.PENDING_PAYMENT, EVERYTHING)
    assert shop.checkout(order.id).session_id is None
    shop.payments.is_reachable = True
    for _ in range(2):
        assert shop.place(owner, "the-same-key", name="box") == order.id
    assert len(shop.payments.requests) == 1
    assert shop.checkout(order.id).session_id == f"cs_test_{order.id.hex}"


def test_a_page_that_stripe_would_refuse_is_not_asked_for(shop: Shop) -> None:
    """Stripe wants half an hour: an order that could not get its page earlier is let go, and says so."""
    owner = shop.customer()
    shop.payments.is_reachable = False
    with pytest.raises(PaymentsUnavailable):
        shop.place(owner, "the-same-key", name="box")
    shop.payments.is_reachable = True
    almost_over = func.now() + timedelta(minutes=30)
    shop.change(lambda session: session.execute(update(Checkout).values(expires_at=almost_over)))
    with pytest.raises(Conflict, match="order again with a new Idempotency-Key"):
        shop.place(owner, "the-same-key", name="box")
    (order,) = shop.all(Order)
    assert shop.payments.requests == []
    assert shop.billing.check_order(order.id) == "expired: its payment page was never made"


def test_fifty_buyers_of_ten_addresses(empty_shop: Shop) -> None:
    """Exactly ten orders; forty clear refusals with no page to pay on, and nothing half-held (F39)."""
    empty_shop.stock(estate(pools=[*ipv4_pools(10), ipv6_pool()]))
    buyers = [empty_shop.customer() for _ in range(50)]
    answers = at_once([partial(empty_shop.place, buyer) for buyer in buyers])
    placed = [answer for answer in answers if isinstance(answer, UUID)]
    assert len(placed) == 10
    assert sum(isinstance(answer, NoCapacity) for answer in answers) == 40
    assert {request.order_id for request in empty_shop.payments.requests} == set(placed)
    held = [row for row in empty_shop.all(Address) if row.state is AddressState.HELD]
    assert len(held) == 20
    assert {row.workload_id for row in held} == {empty_shop.workload(order).id for order in placed}
    assert empty_shop.room_used()["cloud-1"] == (10, 20_480, 200)
    for model in (Order, Workload, Allocation, IdempotencyKey):
        assert len(empty_shop.all(model)) == 10


def test_buyers_of_all_products_at_once_do_not_wait_for_each_other_for_ever(shop: Shop) -> None:
    """Different nodes, one pool: no deadlock, no address twice (invariant I5)."""
    buyers = [shop.customer() for _ in range(18)]
    wishes: list[dict[str, Any]] = [{}, {**GAME_SERVER, "ssh_keys": []}, {**BOT, "ssh_keys": []}]
    answers = at_once([partial(shop.place, buyer, **wishes[number % 3]) for number, buyer in enumerate(buyers)])
    assert all(isinstance(answer, UUID) for answer in answers)
    addresses = [row.network for row in shop.all(Address) if row.state is AddressState.HELD]
    assert len(addresses) == len(set(addresses)) == 36
    assert len({workload.vmid for workload in shop.all(Workload)}) == 18


def test_nothing_is_sold_without_a_dns_zone(shop: Shop) -> None:
    """The operator has not finished the set-up; the customer is told that nothing was charged."""
    shop.change(lambda session: session.execute(update(DnsZone).values(is_default=False)))
    with pytest.raises(NoCapacity, match="nothing was charged"):
        shop.place()
    assert is_untouched(shop)
