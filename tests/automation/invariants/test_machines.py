"""I14: each way in which machines and orders can fail to fit is found, and what is in order is not."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from automation.invariants.checker import InvariantChecker
from tests.fixtures.metal_shop import MetalShop
from tests.fixtures.promises import SameSession, checker

_UNCHECKED = """
    SET LOCAL ROLE NONE;
    SET LOCAL session_replication_role = replica;
    ALTER TABLE machines DROP CONSTRAINT ck_machines_available_only_when_wiped;
    ALTER TABLE machines DROP CONSTRAINT ck_machines_available_is_nobodys;
    ALTER TABLE machines DROP CONSTRAINT ck_machines_in_use_is_somebodys;
    ALTER TABLE workloads DROP CONSTRAINT ck_workloads_on_a_node_or_a_machine
"""


def test_machines_in_every_state_of_their_orders_are_in_order(metal_shop: MetalShop) -> None:
    """Reserved, installed, in the rescue system, given back, and two of them at once beside a guest."""
    for _ in range(4):
        metal_shop.add_machine()
    metal_shop.place()
    metal_shop.place_paid()
    rescued, gone = metal_shop.delivered(), metal_shop.delivered()
    metal_shop.rescue(rescued, on=True)
    metal_shop.rig.run(rescued)
    metal_shop.desk.cancel(gone)
    metal_shop.rig.run(gone)
    metal_shop.rig.delivered()
    assert checker(metal_shop.rig).check() == []


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE machines SET state = 'available'", "it is offered, and held for a workload"),
        ("UPDATE machines SET state = 'available', workload_id = NULL", "nothing proves that it was wiped"),
        ("UPDATE machines SET workload_id = NULL", "its machine is not held for it"),
        ("UPDATE machines SET state = 'cleaning'", "it is running, and its machine cleaning"),
        ("UPDATE workloads SET status = 'deleted'", "it is active for a workload that is deleted"),
        ("UPDATE workloads SET machine_id = NULL", "held for a workload that has another place"),
    ],
)
def test_a_row_that_was_edited_is_found(metal_shop: MetalShop, statement: str, what: str) -> None:
    """Whatever constraints were got round."""
    metal_shop.add_machine()
    metal_shop.delivered()

    def edit(session: Session) -> None:
        session.execute(text(_UNCHECKED))
        session.execute(text(statement))
        found = InvariantChecker(SameSession(session)).check()  # type: ignore[arg-type]
        session.rollback()
        assert any(violation.invariant == "I14" and what in violation.what for violation in found), found

    metal_shop.stable.change(edit)
