"""The growth benchmark's crowd: copies that look like real workloads and are nobody's business."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import func, select

from api.db.session import Database, connect
from api.inventory.models import Node, NodeState
from api.operations.leases import due_operations
from api.operations.models import Operation
from api.orders.models import Order
from api.workloads.models import Workload
from automation.embedded.postgres import EmbeddedPostgres
from lab.bench.crowd import Crowd, Model
from tests.fixtures.operations import PER_NODE, Desk

_STATE = "CREATE TABLE pulumi_state (key text PRIMARY KEY, data json, updated_at timestamptz)"


@pytest.fixture
def state_database_url(postgres: EmbeddedPostgres) -> str:
    """Return the address of an empty database for the engine's state."""
    return postgres.create_database(f"state-{uuid4().hex}")


@pytest.fixture
def owner(database_url: str) -> Iterator[Database]:
    """Return the same database with its owner's rights: a crowd gets past foreign keys and guards."""
    database = connect(database_url)
    yield database
    database.close()


def _crowd(desk: Desk, owner: Database, state_url: str) -> tuple[Crowd, Model]:
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    workload = desk.shop.workload(order_id)
    model = Model(order_id, workload.id, workload.stack)
    with psycopg.connect(state_url) as state:
        state.execute(_STATE)
        for kind, end in (("stacks", ".json"), ("history", "/it-1700000000000000000.history.json")):
            key = f"pulumi-state/.pulumi/{kind}/slipway/{model.stack}{end}"
            state.execute("INSERT INTO pulumi_state (key, data) VALUES (%s, '{}')", (key,))
    return Crowd(owner, state_url, model), model


def _count(desk: Desk, query: type[Order] | type[Workload] | type[Operation]) -> int:
    return desk.shop.change(lambda session: session.scalar(select(func.count()).select_from(query)) or 0)


def test_a_crowd_grows_to_its_size_in_both_databases(desk: Desk, owner: Database, state_database_url: str) -> None:
    """Growing again only adds what is missing; nothing of it is due, and its nodes sell nothing."""
    crowd, _ = _crowd(desk, owner, state_database_url)
    for size in (3, 60, 60):
        crowd.grow_to(size)
    assert [_count(desk, model) for model in (Order, Workload, Operation)] == [61, 61, 61]
    assert desk.shop.change(lambda session: due_operations(session, PER_NODE)) == []
    nodes = [node for node in desk.shop.all(Node) if node.name.startswith("crowd-")]
    assert {node.state for node in nodes} == {NodeState.DRAINING}
    assert sum(node.used_cores for node in nodes) == 60
    with psycopg.connect(state_database_url) as state:
        assert state.execute("SELECT count(*) FROM pulumi_state").fetchone() == (2 * 61,)


def test_a_past_is_older_than_what_is_newest(desk: Desk, owner: Database, state_database_url: str) -> None:
    """A stack's copied operations lie before its own, so that the newest one is still the newest."""
    crowd, model = _crowd(desk, owner, state_database_url)
    newest = desk.latest(model.order_id).id
    crowd.grow_past_of(model.workload_id, model.stack, 20)
    assert (len(desk.shop.operations(model.order_id)), desk.latest(model.order_id).id) == (21, newest)
    with psycopg.connect(state_database_url) as state:
        found = state.execute("SELECT count(*) FROM pulumi_state WHERE key LIKE '%history%'").fetchone()
    assert found == (21,)
