"""Orders over HTTP."""

import json
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from api.catalogue.models import Size
from api.db.session import Database
from api.orders.models import Order
from tests.factories.estate import estate, node, stock
from tests.factories.orders import BOT, CLOUD_VM, GAME_SERVER
from tests.fakes.workload_specs import SSH_KEY
from tests.fixtures.api import Api, Customer
from tests.fixtures.shop import EVERYTHING, Shop
from tests.races import at_once

_KEYS = count(1)
BAD_NAMES = ["a_b", "..", "münchen", "x" * 300, "a\nruncmd: [reboot]", "*anchor", "Upper", "", "\ud800"]
BAD_KEYS = [
    f"{SSH_KEY}\nruncmd: [reboot]",
    f"{SSH_KEY}\r\n{SSH_KEY}",
    f"- {SSH_KEY}",
    f'command="rm -rf /" {SSH_KEY}',
    "ssh-ed25519 AAAA",
    "ssh-dss AAAAB3NzaC1kc3MAAACB",
    "&x *x",
    "x" * 20_000,
    "\ud800",
    "",
]


@pytest.fixture
def buyer(api: Api, api_shop: Shop) -> Customer:  # noqa: ARG001 - there must be something to buy
    """Return a customer with an SSH key, in front of full shelves."""
    customer = api.customer()
    key = {"name": "laptop", "public_key": SSH_KEY}
    customer.http.post("/v1/ssh-keys", json=key).raise_for_status()
    return customer


def order(customer: Customer, key: str | None = None, **changes: Any) -> httpx.Response:
    """Place an order for a small cloud VM, under a new key unless one is given."""
    headers = {"Idempotency-Key": key or f"key-{next(_KEYS):06}", "Content-Type": "application/json"}
    # ``json=`` would refuse lone surrogates, which a hostile client can send as well.
    body = json.dumps(CLOUD_VM | changes)
    return customer.http.post("/v1/orders", content=body, headers=headers)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return a problem document after checking its status and code."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    return found


def test_an_order_is_created_with_a_page_to_pay_on(buyer: Customer) -> None:
    """201, the catalogue's price, and nothing that is only ours to know."""
    answer = order(buyer)
    assert answer.status_code == 201
    view = answer.json()
    assert (view["status"], view["price_cents"], view["currency"]) == ("pending_payment", 450, "eur")
    assert (view["workload_name"], view["kind"]) == ("build-box", "cloud_vm")
    assert view["checkout_url"].startswith("https://checkout.example.com/")
    assert buyer.http.get(f"/v1/orders/{view['id']}").json() == view
    assert not {"passphrase", "owner_id", "node", "vmid"} & view.keys()


def test_a_paid_order_shows_no_page_to_pay_on(buyer: Customer, api_shop: Shop) -> None:
    """It could only be paid twice."""
    order_id = UUID(order(buyer).json()["id"])
    api_shop.payments.pay(order_id)
    api_shop.billing.check_order(order_id)
    view = buyer.http.get(f"/v1/orders/{order_id}").json()
    assert (view["status"], view["checkout_url"]) == ("paid", None)
    assert view["paid_at"] is not None


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/quotes"])
def test_a_bad_name_is_refused_by_field(buyer: Customer, api_shop: Shop, path: str) -> None:
    """F10: 422 with a pointer to ``name`` and a fix, whatever is wrong with it."""
    headers = {"Idempotency-Key": "key-of-this-test", "Content-Type": "application/json"}
    for name in BAD_NAMES:
        answer = buyer.http.post(path, content=json.dumps(CLOUD_VM | {"name": name}), headers=headers)
        found = problem(answer, 422, "invalid_input")
        assert [(error["field"], error["pointer"]) for error in found["errors"]] == [("name", "#/name")], name
    assert api_shop.all(Order) == []


def test_a_bad_ssh_key_is_refused_by_field(api: Api) -> None:
    """Newlines, YAML and options never get as far as cloud-init."""
    customer = api.customer()
    for key in BAD_KEYS:
        body = json.dumps({"name": "bad", "public_key": key})
        answer = customer.http.post("/v1/ssh-keys", content=body, headers={"Content-Type": "application/json"})
        assert [error["field"] for error in problem(answer, 422, "invalid_input")["errors"]] == ["public_key"], key


UNORDERABLE: list[tuple[dict[str, Any], str]] = [
    ({"size": -1}, "size"),
    ({"size": 10**30}, "size"),
    ({"size": "galactic"}, "'size'"),
    ({"product": "mainframe"}, "'product'"),
    ({"template": "windows-95"}, "'template'"),
    ({"ssh_keys": ["unknown"]}, "'ssh_keys'"),
    ({"ssh_keys": []}, "'ssh_keys'"),
    ({"ssh_keys": ["\x00"]}, "ssh_keys"),
    ({"price_cents": 1}, "price_cents"),
    ({"owner_id": "00000000-0000-7000-8000-000000000000"}, "owner_id"),
    ({"node": "cloud-1"}, "node"),
    ({"fence": 9}, "fence"),
]


def test_what_cannot_be_ordered_is_named(buyer: Customer, api_shop: Shop) -> None:
    """Sizes that are negative, huge or unknown, and fields that are not the customer's to set (F49)."""
    for changes, named in UNORDERABLE:
        assert named in problem(order(buyer, **changes), 422, "invalid_input")["detail"]
    assert api_shop.all(Order) == []


def test_an_order_needs_a_usable_idempotency_key(buyer: Customer, api_shop: Shop) -> None:
    """The error names the header."""
    for key in (None, "", "short", "x" * 129, "with space", "ünïcode-key"):
        headers = httpx.Headers({} if key is None else {"Idempotency-Key": key}, encoding="utf-8")
        found = problem(buyer.http.post("/v1/orders", json=CLOUD_VM, headers=headers), 422, "invalid_input")
        assert [error["location"] for error in found["errors"]] == ["header"]
        assert "idempotency-key" in found["errors"][0]["field"].lower()
    assert api_shop.all(Order) == []


def test_a_repeated_request_is_the_same_order(buyer: Customer) -> None:
    """200 instead of 201, the same answer."""
    first, again = order(buyer, "the-same-key"), order(buyer, "the-same-key")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


def test_a_key_with_another_body_is_refused(buyer: Customer) -> None:
    """409 with a code of its own."""
    order(buyer, "the-same-key")
    problem(order(buyer, "the-same-key", size="large"), 409, "idempotency_key_reused")


def test_a_double_click_makes_one_order(buyer: Customer, api_shop: Shop) -> None:
    """Eight requests at once with one key: one 201, seven 200, one order (F29)."""
    answers = at_once([partial(order, buyer, "the-same-key")] * 8)
    found = [answer for answer in answers if isinstance(answer, httpx.Response)]
    assert sorted(answer.status_code for answer in found) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in found}) == len(api_shop.all(Order)) == 1


def test_sold_out_is_said_clearly(api: Api, database: Database) -> None:
    """409, retryable, and nothing was charged."""
    stock(database, api.runtime.vault, estate(nodes=[node("bot-1", "bot", cores=3)]))
    customer = api.customer()
    assert order(customer, **BOT, ssh_keys=[]).status_code == 201
    found = problem(order(customer, **BOT | {"name": "second"}, ssh_keys=[]), 409, "no_capacity")
    assert found["retryable"] is True
    assert "nothing was charged" in found["detail"]
    assert len(api.payments.requests) == 1


def test_stripe_away_keeps_the_order(buyer: Customer, api_shop: Shop) -> None:
    """503 says to repeat with the same key; doing so gives the page."""
    api_shop.payments.is_reachable = False
    found = problem(order(buyer, "the-same-key"), 503, "payments_unavailable")
    assert found["retryable"] is True
    (kept,) = api_shop.all(Order)
    assert api_shop.held(kept.id) == EVERYTHING
    api_shop.payments.is_reachable = True
    answer = order(buyer, "the-same-key")
    assert (answer.status_code, answer.json()["id"]) == (200, str(kept.id))
    assert answer.json()["checkout_url"] is not None


def test_orders_are_listed_newest_first_in_pages(buyer: Customer) -> None:
    """Each exactly once."""
    made = [order(buyer, name=f"box-{number}").json()["id"] for number in range(5)]
    seen, cursor = [], None
    while True:
        page = buyer.http.get("/v1/orders", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_another_customer_s_orders_do_not_exist(api: Api, buyer: Customer) -> None:
    """Neither in a list nor by id (invariant I10)."""
    order_id = order(buyer).json()["id"]
    stranger = api.customer()
    assert stranger.http.get("/v1/orders").json()["items"] == []
    problem(stranger.http.get(f"/v1/orders/{order_id}"), 404, "not_found")


@pytest.mark.parametrize("body", [CLOUD_VM, GAME_SERVER, BOT], ids=["cloud-vm", "game-server", "bot"])
def test_every_product_can_be_ordered(buyer: Customer, body: dict[str, Any]) -> None:
    """Straight from the shipped catalogue."""
    answer = order(buyer, **{"ssh_keys": [], **body})
    assert answer.status_code == 201


def test_a_size_too_small_for_its_template_is_refused(buyer: Customer, api_shop: Shop) -> None:
    """The error says how much memory is needed."""
    api_shop.change(lambda session: session.execute(update(Size).values(memory_mib=1024)))
    found = problem(order(buyer, **GAME_SERVER, ssh_keys=[]), 422, "invalid_input")
    assert "needs at least 2048 MiB" in found["detail"]
