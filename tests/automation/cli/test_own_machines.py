"""Machines of one's own, from a terminal."""

from uuid import UUID

import pytest

from api.orders.models import Order
from components.specs import BareMetalSpec
from tests.automation.cli.conftest import Terminal
from tests.factories.orders import BARE_METAL
from tests.fixtures.api import Api, Customer
from tests.fixtures.machines import Stable
from tests.fixtures.operations import Desk
from tests.fixtures.shop import Shop


@pytest.fixture
def order_id(api_shop: Shop, buyer: Customer, api_desk: Desk) -> UUID:
    """Return the order of a machine named ``iron`` that was delivered to the buyer."""
    Stable(api_shop).add(machine_class="metal-small")
    order_id = api_shop.place_paid(buyer.id, **BARE_METAL)
    api_desk.deliver(order_id)
    return order_id


def wanted(shop: Shop, order_id: UUID) -> BareMetalSpec:
    """Return what is wanted of an order's machine."""
    return BareMetalSpec.model_validate(shop.workload(order_id).desired)


@pytest.mark.usefixtures("api_shop")
def test_the_catalogue_tells_the_disk_layouts(at_api: Terminal) -> None:
    """Only where there are any."""
    said = at_api.run("catalogue").stdout
    assert said.count("Disk layouts: single, raid1") == 1
    assert "metal-small" in said


@pytest.mark.usefixtures("planner")
def test_an_order_and_a_quote_take_a_layout(logged_in: Terminal, api_shop: Shop) -> None:
    """What is left out is the template's usual way."""
    Stable(api_shop).add(machine_class="metal-small")
    what = ("bare-metal", "--size", "metal-small", "--template", "debian-12-metal", "--name", "iron")
    chosen = (*what, "--ssh-key", "laptop", "--layout", "raid1")
    assert "mirrored (RAID 1)" in logged_in.run("quote", *chosen).stdout
    logged_in.run("order", *chosen, "--yes")
    (order,) = api_shop.all(Order)
    assert wanted(api_shop, order.id).layout == "raid1"


def test_one_machine_is_shown_with_what_is_on_it(logged_in: Terminal, order_id: UUID, api_shop: Shop) -> None:
    """In place of a node."""
    said = logged_in.run("show", "iron").stdout
    assert wanted(api_shop, order_id).machine.name in said
    assert "debian-12-1 (single), user debian" in said
    assert "Node" not in said


def test_a_reinstallation_asks_first(logged_in: Terminal, order_id: UUID, api_shop: Shop) -> None:
    """What is on the disks is not lost by a slip; the name that the API wants is the command's to give."""
    logged_in.run("reinstall", "iron", "--template", "ubuntu-24.04-metal", typed="n\n", exit_code=1)
    assert wanted(api_shop, order_id).installation == 1
    said = logged_in.run("reinstall", "iron", "--template", "ubuntu-24.04-metal", "--layout", "raid1", typed="y\n")
    assert "slipway logs iron --follow" in said.stdout
    spec = wanted(api_shop, order_id)
    assert (spec.installation, spec.image.name, spec.layout) == (2, "ubuntu-24.04-1", "raid1")


def test_the_rescue_system_is_switched_on_and_off(
    logged_in: Terminal, order_id: UUID, api_shop: Shop, api_desk: Desk, api: Api
) -> None:
    """Or it is said that it is so already."""
    assert "it runs its own system already" in logged_in.run("rescue", "iron", "--off").stdout
    assert "rescue has begun" in logged_in.run("rescue", "iron").stdout
    assert api.jobs.sent
    api_desk.deliver(order_id)
    assert "the rescue system" in logged_in.run("show", "iron").stdout
    assert "it runs the rescue system already" in logged_in.run("rescue", "iron").stdout
    assert wanted(api_shop, order_id).rescue is True


def test_a_guest_cannot_be_rescued(logged_in: Terminal, buyer: Customer, api_shop: Shop, api_desk: Desk) -> None:
    """The refusal says what it is."""
    api_desk.deliver(api_shop.place_paid(buyer.id, name="box"))
    assert "is a cloud vm" in logged_in.run("rescue", "box", exit_code=1).stderr
