"""The facts of a real order, on real PostgreSQL."""

import dataclasses
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, update

from api.inventory.placement import node_class_for
from api.ipam.models import Address, AddressState
from api.operations.models import Operation
from api.policy.gather import load_context
from api.workloads.models import Workload
from components.plans import StepOp
from components.policy.context import PolicyContext
from components.policy.evaluate import evaluate
from components.policy.rules.placement import CLASSES
from components.specs import WorkloadKind, parse_guest_spec
from tests.factories.orders import BOT, CLOUD_VM, GAME_SERVER
from tests.factories.plans import whole_plan
from tests.fixtures.metal_shop import MetalShop
from tests.fixtures.shop import Shop

MOST_QUERIES = 6


def gather(shop: Shop, order_id: UUID) -> PolicyContext:
    """Gather the facts around the order's first operation."""
    workload_id, operation_id = shop.workload(order_id).id, shop.operations(order_id)[0].id
    with shop.database.transaction() as transaction:
        workload = transaction.session.get_one(Workload, workload_id)
        return load_context(transaction.session, workload, transaction.session.get_one(Operation, operation_id))


@pytest.mark.parametrize("wish", [CLOUD_VM, GAME_SERVER, BOT], ids=lambda wish: wish["product"])
def test_every_fact_of_an_order_is_gathered_and_it_passes(shop: Shop, wish: dict[str, Any]) -> None:
    """What was reserved is what the rules want to see; only backups do not exist yet."""
    order_id = shop.place_paid(**wish)
    spec = parse_guest_spec(shop.workload(order_id).desired)
    context = gather(shop, order_id)

    missing = [field.name for field in dataclasses.fields(context) if getattr(context, field.name) is None]
    assert missing == ["machine", "newest_backup_at"]
    results = evaluate(whole_plan(StepOp.CREATE, spec), context)
    assert [(result.rule, result.message) for result in results if result.message] == []


def test_of_a_machine_the_machine_is_known_and_no_node(metal_shop: MetalShop) -> None:
    """By its own row: identity and serial number are what the rules hold a plan against."""
    machine = metal_shop.add_machine()
    context = gather(metal_shop.stable.shop, metal_shop.place_paid())

    missing = [field.name for field in dataclasses.fields(context) if getattr(context, field.name) is None]
    assert missing == ["node", "held", "vmid", "newest_backup_at"]
    assert context.machine is not None
    assert (context.machine.machine_id, context.machine.serial) == (machine.id, machine.serial)


def test_an_address_that_was_taken_back_is_noticed(shop: Shop) -> None:
    """The rows decide who holds an address, not what the spec says."""
    order_id = shop.place_paid()
    workload = shop.workload(order_id)
    let_go = update(Address).where(Address.workload_id == workload.id).values(workload_id=None, state=AddressState.FREE)
    shop.change(lambda session: session.execute(let_go))

    plan = whole_plan(StepOp.CREATE, parse_guest_spec(workload.desired))
    results = {result.rule: result for result in evaluate(plan, gather(shop, order_id))}

    assert "is not reserved for this workload" in results["addresses"].message


def test_an_account_spends_what_its_paid_and_live_workloads_cost(shop: Shop) -> None:
    """Its other ones; neither those that are not paid, nor anybody else's."""
    owner = shop.customer()
    order_id = shop.place_paid(owner)
    shop.place_paid(owner, size="large")
    shop.place(owner)
    shop.place_paid()

    context = gather(shop, order_id)

    assert context.other_spend_cents == 1490
    assert (context.price_before_cents, context.price_after_cents) == (0, 450)


def test_the_number_of_queries_does_not_grow(shop: Shop) -> None:
    """The sixth is the order's own row, which the runner has in its session already."""
    owner = shop.customer()
    order_id = shop.place_paid(owner)

    def count() -> int:
        statements: list[str] = []

        def note(*call: object) -> None:
            statements.append(str(call[2]))

        workload_id, operation_id = shop.workload(order_id).id, shop.operations(order_id)[0].id
        with shop.database.transaction() as transaction:
            workload = transaction.session.get_one(Workload, workload_id)
            operation = transaction.session.get_one(Operation, operation_id)
            event.listen(shop.database.engine, "before_cursor_execute", note)
            load_context(transaction.session, workload, operation)
            event.remove(shop.database.engine, "before_cursor_execute", note)
        return len(statements)

    before = count()
    for _ in range(5):
        shop.place_paid(owner)

    assert before == count() == MOST_QUERIES


def test_rules_and_inventory_agree_which_node_is_for_what() -> None:
    """The pure rules cannot import the inventory's own mapping."""
    assert {kind: node_class_for(kind).value for kind in WorkloadKind if kind is not WorkloadKind.BARE_METAL} == dict(
        CLASSES
    )
