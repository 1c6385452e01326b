"""What an order held comes back whole."""

from datetime import timedelta

from api.ipam.models import Address, AddressState
from api.orders.release import release_reservations
from tests.fixtures.shop import EVERYTHING, NOTHING, Shop


def test_everything_is_given_back_at_once(shop: Shop) -> None:
    """Room, addresses and DNS label; another order's stay."""
    gone, kept = shop.place(), shop.place()
    workload_id = shop.workload(gone).id
    shop.change(lambda session: release_reservations(session, workload_id, timedelta(0)))
    assert (shop.held(gone), shop.held(kept)) == (NOTHING, EVERYTHING)


def test_releasing_twice_releases_once(shop: Shop) -> None:
    """A task that is delivered twice subtracts room once."""
    order_id = shop.place()
    workload_id = shop.workload(order_id).id
    for _ in range(2):
        shop.change(lambda session: release_reservations(session, workload_id, timedelta(0)))
    assert shop.room_used()["cloud-1"] == (0, 0, 0)


def test_addresses_of_a_guest_that_lived_rest_first(shop: Shop) -> None:
    """Room is free at once, addresses are not."""
    workload_id = shop.workload(shop.place()).id
    shop.change(lambda session: release_reservations(session, workload_id, timedelta(hours=1)))
    assert [row.state for row in shop.all(Address)].count(AddressState.QUARANTINE) == 2
    assert shop.room_used()["cloud-1"] == (0, 0, 0)
