"""The choice of a node, as a pure function."""

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.inventory.models import NodeClass
from api.inventory.placement import NodeRoom, choose_node, node_class_for
from components.specs import Resources, WorkloadKind

SMALL = Resources(cores=1, memory_mib=1024, disk_gib=10)


def room(number: int, cores: int, memory_mib: int, disk_gib: int) -> NodeRoom:
    """Return a node of 100 cores, 100 GiB of memory and 1000 GiB of disk with this much left."""
    return NodeRoom(UUID(int=number), cores, memory_mib, disk_gib, 100, 102_400, 1000)


rooms = st.lists(
    st.builds(room, st.integers(1, 2**64), st.integers(0, 100), st.integers(0, 102_400), st.integers(0, 1000)),
    max_size=8,
    unique_by=lambda found: found.node_id,
)
needs = st.builds(
    Resources, cores=st.integers(1, 100), memory_mib=st.integers(128, 102_400), disk_gib=st.integers(1, 1000)
)


def test_orders_spread_over_nodes() -> None:
    """The emptier node is chosen."""
    chosen = choose_node([room(1, 50, 50_000, 500), room(2, 60, 60_000, 600)], SMALL)
    assert chosen is not None
    assert chosen.node_id == UUID(int=2)


def test_the_scarcest_resource_decides() -> None:
    """A node with many cores and little memory counts as full, so that no resource is stranded."""
    lopsided, even = room(1, 100, 2048, 1000), room(2, 40, 40_960, 400)
    assert choose_node([lopsided, even], SMALL) == even


def test_a_tie_goes_to_the_older_node() -> None:
    """The same question always gets the same answer."""
    twins = [room(2, 50, 50_000, 500), room(1, 50, 50_000, 500)]
    assert choose_node(twins, SMALL) == twins[1]


@pytest.mark.parametrize("left", [(0, 1024, 10), (1, 1023, 10), (1, 1024, 9)])
def test_one_resource_that_is_missing_is_enough_to_refuse(left: tuple[int, int, int]) -> None:
    """Cores, memory and disk must all fit."""
    assert choose_node([room(1, *left)], SMALL) is None


def test_the_last_place_is_sold() -> None:
    """Room for exactly one guest is room."""
    assert choose_node([room(1, 1, 1024, 10)], SMALL) == room(1, 1, 1024, 10)


@given(rooms, needs)
def test_a_choice_always_fits_and_is_made_whenever_one_can_be(found: list[NodeRoom], need: Resources) -> None:
    """No overselling, and no "sold out" while there is room."""
    chosen = choose_node(found, need)
    fitting = [candidate for candidate in found if candidate.fits(need)]
    assert (chosen is None) == (fitting == [])
    if chosen is not None:
        assert chosen.fits(need)
        assert all(chosen.load_after(need) <= other.load_after(need) <= 1 for other in fitting)


@given(rooms, needs, st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_rows(
    found: list[NodeRoom], need: Resources, lots: random.Random
) -> None:
    """PostgreSQL promises no order of its own."""
    shuffled = list(found)
    lots.shuffle(shuffled)
    assert choose_node(shuffled, need) == choose_node(found, need)


def test_each_kind_of_workload_has_its_class_of_node() -> None:
    """A kind that is added must be given a home; a machine of one's own is on no node."""
    homes = {kind: node_class_for(kind) for kind in WorkloadKind if kind is not WorkloadKind.BARE_METAL}
    assert set(homes.values()) == set(NodeClass)
