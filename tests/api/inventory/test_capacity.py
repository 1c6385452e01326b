"""Room on nodes: counted from the order on, sold once, given back once."""

from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import update

from api.errors import NoCapacity
from api.inventory.capacity import Capacity
from api.inventory.models import Allocation, Node, NodeState
from tests.factories.estate import TEMPLATES, estate, ipv4_pools, ipv6_pool, node, node_for, site
from tests.fixtures.shop import Shop
from tests.races import at_once

SMALL_VM = (1, 2048, 20)


def node_of(shop: Shop, order_id: UUID) -> str:
    """Return the name of the node that an order's workload was placed on."""
    return str(shop.workload(order_id).desired["placement"]["node"])


def test_an_unpaid_order_counts(empty_shop: Shop) -> None:
    """Capacity is taken when the order is placed, not when the engine comes."""
    empty_shop.stock(estate(nodes=[node_for(1)]))
    empty_shop.place()
    assert empty_shop.room_used() == {"cloud-1": SMALL_VM}
    with pytest.raises(NoCapacity, match="nothing was charged"):
        empty_shop.place()


def test_the_host_s_reserve_is_not_sold(empty_shop: Shop) -> None:
    """A node with the memory of two guests and its host sells one."""
    empty_shop.stock(estate(nodes=[node_for(1, memory_mib=2 * 2048, reserve_memory_mib=2048)]))
    empty_shop.place()
    with pytest.raises(NoCapacity):
        empty_shop.place()


def test_a_workload_lives_on_a_node_of_its_class(shop: Shop) -> None:
    """Games do not share hosts with VMs."""
    game = shop.place(product="game-server", size="small", template="minecraft-java", ssh_keys=[])
    bot = shop.place(product="bot", size="nano", template="python-bot", ssh_keys=[])
    assert [node_of(shop, order) for order in (shop.place(), game, bot)] == ["cloud-1", "game-1", "bot-1"]


def test_orders_spread(empty_shop: Shop) -> None:
    """Equal nodes fill equally."""
    empty_shop.stock(estate(nodes=[node_for(4, f"cloud-{number}") for number in range(3)]))
    placed = [node_of(empty_shop, empty_shop.place()) for _ in range(6)]
    assert sorted(placed) == ["cloud-0", "cloud-0", "cloud-1", "cloud-1", "cloud-2", "cloud-2"]


@pytest.mark.parametrize("state", [NodeState.DRAINING, NodeState.RETIRED])
def test_a_node_that_is_drained_gets_nothing_new(empty_shop: Shop, state: NodeState) -> None:
    """However empty it is."""
    empty_shop.stock(estate(nodes=[node_for(1), node_for(9, "cloud-2")]))
    empty_shop.change(lambda session: session.execute(update(Node).where(Node.name == "cloud-2").values(state=state)))
    assert node_of(empty_shop, empty_shop.place()) == "cloud-1"
    with pytest.raises(NoCapacity):
        empty_shop.place()


def test_a_node_without_the_template_is_no_candidate(empty_shop: Shop) -> None:
    """Nothing could be cloned there."""
    only_ubuntu = node_for(9, "cloud-2", templates=[TEMPLATES["cloud"][1]])
    empty_shop.stock(estate(nodes=[node_for(1), only_ubuntu]))
    assert node_of(empty_shop, empty_shop.place(template="ubuntu-24.04")) == "cloud-2"
    assert node_of(empty_shop, empty_shop.place(template="debian-12")) == "cloud-1"


def test_a_site_without_addresses_is_passed_over(empty_shop: Shop) -> None:
    """The emptier node is of no use where no address is left; another site's is taken."""
    sites = [site("fsn"), site("hel")]
    nodes = [node("cloud-1", "cloud"), node_for(1, "cloud-2", site="hel")]
    pools = [{**ipv4_pools(1)[0], "site": "hel"}, ipv6_pool("2001:db8::/48", "hel"), ipv6_pool("2001:db8:1::/48")]
    empty_shop.stock(estate(nodes=nodes, pools=pools, sites=sites))
    assert node_of(empty_shop, empty_shop.place()) == "cloud-2"
    with pytest.raises(NoCapacity, match="no free public address"):
        empty_shop.place()


def test_room_is_given_back_once(shop: Shop) -> None:
    """Releasing twice, or twice at once, subtracts once (invariant I6)."""
    kept, gone = shop.place(), shop.place()
    workload_id = shop.workload(gone).id
    release = partial(shop.change, lambda session: Capacity(session).release(workload_id))
    at_once([release] * 8)
    release()
    assert shop.room_used()["cloud-1"] == SMALL_VM
    (live,) = [row for row in shop.all(Allocation) if row.released_at is None]
    assert live.workload_id == shop.workload(kept).id


def test_the_last_place_goes_to_one_of_many(empty_shop: Shop) -> None:
    """Sixteen buyers, room for one: one order, fifteen clear refusals, nothing half-held (F39)."""
    empty_shop.stock(estate(nodes=[node_for(1)]))
    buyers = [empty_shop.customer() for _ in range(16)]
    answers = at_once([partial(empty_shop.place, buyer) for buyer in buyers])
    refused = [answer for answer in answers if isinstance(answer, NoCapacity)]
    assert len(refused) == 15
    assert empty_shop.room_used() == {"cloud-1": SMALL_VM}
    assert len(empty_shop.payments.requests) == 1


def test_buyers_and_leavers_at_once_leave_the_books_right(empty_shop: Shop) -> None:
    """Used room is the sum of live allocations, whatever the interleaving, and no deadlock (invariant I6)."""
    empty_shop.stock(estate(nodes=[node_for(6, f"cloud-{number}") for number in range(2)]))
    leaving = [empty_shop.workload(empty_shop.place()).id for _ in range(8)]
    buyers = [empty_shop.customer() for _ in range(8)]

    def leave(workload_id: UUID) -> None:
        empty_shop.change(lambda session: Capacity(session).release(workload_id))

    at_once([*(partial(leave, workload) for workload in leaving), *(partial(empty_shop.place, one) for one in buyers)])
    live = [row for row in empty_shop.all(Allocation) if row.released_at is None]
    for found in empty_shop.all(Node):
        mine = [row for row in live if row.node_id == found.id]
        assert found.used_cores == sum(row.cores for row in mine) <= found.total_cores
        assert found.used_memory_mib == sum(row.memory_mib for row in mine)
        assert found.used_disk_gib == sum(row.disk_gib for row in mine)


def test_the_database_itself_refuses_to_oversell(shop: Shop) -> None:
    """The constraint behind the allocator."""
    with pytest.raises(Exception, match="memory_within_total"):
        shop.change(lambda session: session.execute(update(Node).values(used_memory_mib=Node.total_memory_mib + 1)))
