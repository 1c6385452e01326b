"""Quotes over HTTP."""

import pytest

from api.orders.models import Order
from api.quotes.planning import QuotePlans
from api.quotes.service import LIFETIME, MOST_PENDING
from tests.factories.orders import CLOUD_VM
from tests.fakes.engine_steps import planned
from tests.fakes.workload_specs import SSH_KEY
from tests.fixtures.api import Api, Customer
from tests.fixtures.shop import Shop


@pytest.fixture
def buyer(api: Api, api_shop: Shop) -> Customer:  # noqa: ARG001 - there must be something to buy
    """Return a customer with an SSH key, in front of full shelves."""
    customer = api.customer()
    key = {"name": "laptop", "public_key": SSH_KEY}
    customer.http.post("/v1/ssh-keys", json=key).raise_for_status()
    return customer


def test_a_quote_prices_in_plain_words(buyer: Customer, api_shop: Shop) -> None:
    """At once, and places nothing; its plan is under way at the address that is told."""
    answer = buyer.http.post("/v1/quotes", json=CLOUD_VM)

    quote = answer.json()
    assert answer.status_code == 202
    assert (quote["price_cents"], quote["is_available"], quote["status"]) == (450, True, "planning")
    assert "a new virtual machine with 1 core, 2 GiB of memory and 20 GiB of disk" in quote["includes"]
    assert api_shop.all(Order) == []
    assert buyer.http.get(answer.headers["Location"]).raise_for_status().json() == quote


def test_the_plan_is_read_once_it_is_ready(buyer: Customer, api_shop: Shop) -> None:
    """In words, with everything else as before."""
    asked = buyer.http.post("/v1/quotes", json=CLOUD_VM).json()

    def plan(plans: QuotePlans) -> None:
        claimed = plans.claim(asked["id"], LIFETIME)
        assert claimed is not None
        plans.store(claimed, planned("quotes", None, claimed.spec))

    api_shop.change(lambda session: plan(QuotePlans(session)))
    ready = buyer.http.get(f"/v1/quotes/{asked['id']}").raise_for_status().json()

    assert ready["plan"].startswith("a new virtual machine with 1 core on FSN node cloud-1;")
    assert ready == {**asked, "status": "ready", "plan": ready["plan"]}


def test_too_many_quotes_at_once_are_refused(buyer: Customer) -> None:
    """With the time after which another may be asked for."""
    for _ in range(MOST_PENDING):
        buyer.http.post("/v1/quotes", json=CLOUD_VM).raise_for_status()

    refused = buyer.http.post("/v1/quotes", json=CLOUD_VM)

    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
