"""Money that fits no order is seen, however the rows came to say so."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.billing.mismatch import mismatch
from tests.fixtures.runner import RunnerRig
from tests.fixtures.shop import Shop

PRICE = 450


def cents(shop: Shop) -> dict[str, int]:
    """What does not fit, by currency."""
    return dict(shop.change(mismatch))


def edit(shop: Shop, *statements: str, **values: object) -> None:
    """Change rows past the application and the triggers."""

    def execute(session: Session) -> None:
        session.execute(text("SET LOCAL ROLE NONE"))
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            session.execute(text(statement), values)

    shop.change(execute)


@pytest.fixture
def order_id(runner_rig: RunnerRig) -> UUID:
    """Return an order that was delivered."""
    return runner_rig.delivered()


def test_money_on_its_way_fits(runner_rig: RunnerRig) -> None:
    """Unpaid, paid and queued, delivered, owed back, paid back: each is what it should be at any time."""
    shop = runner_rig.desk.shop
    assert cents(shop) == {}
    shop.place()
    shop.place_paid()
    runner_rig.delivered()
    failed = shop.place_paid()
    shop.fulfil(failed, lambda fulfilment, order: fulfilment.failure(order, "the node is gone"))
    assert cents(shop) == {"eur": 0}
    shop.billing.pay_refunds()
    assert shop.ledger(failed).keys() == {"payment", "refund"}
    assert cents(shop) == {"eur": 0}


@pytest.mark.usefixtures("order_id")
@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        pytest.param("UPDATE orders SET status = 'paid'", PRICE, id="paid and nothing is under way"),
        pytest.param("UPDATE orders SET status = 'refund_due'", PRICE, id="to be paid back and nobody owes it"),
        pytest.param("UPDATE orders SET status = 'refunded'", PRICE, id="paid back and the money is here"),
        pytest.param("UPDATE orders SET status = 'expired'", PRICE, id="expired and paid"),
        pytest.param("DELETE FROM ledger_entries", PRICE, id="delivered and never paid"),
        pytest.param("UPDATE ledger_entries SET amount_cents = amount_cents + 1", 1, id="a cent too many"),
    ],
)
def test_money_that_fits_no_order_is_counted(runner_rig: RunnerRig, statement: str, wrong: int) -> None:
    """In cents, whichever way it is wrong."""
    edit(runner_rig.desk.shop, statement)
    assert cents(runner_rig.desk.shop) == {"eur": wrong}


@pytest.mark.usefixtures("order_id")
def test_what_a_person_has_to_look_at_is_visibly_pending(runner_rig: RunnerRig) -> None:
    """A paid order whose workload needs attention is no mismatch: it is on the staff's page already."""
    edit(runner_rig.desk.shop, "UPDATE orders SET status = 'paid'", "UPDATE workloads SET status = 'needs_attention'")
    assert cents(runner_rig.desk.shop) == {"eur": 0}


def test_one_order_does_not_hide_another(runner_rig: RunnerRig, order_id: UUID) -> None:
    """One that was charged too much and one that was charged too little are two faults, not none."""
    runner_rig.delivered()
    edit(
        runner_rig.desk.shop,
        "UPDATE ledger_entries SET amount_cents = amount_cents + CASE WHEN order_id = :order THEN 100 ELSE -100 END",
        order=order_id,
    )
    assert cents(runner_rig.desk.shop) == {"eur": 200}
