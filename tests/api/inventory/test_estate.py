"""The estate document: imported as often as one likes, refused where orders would fail on it later."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.dns.models import DnsZone
from api.errors import InvalidInput
from api.inventory.estate import EstateDocument, NodeEntry
from api.inventory.models import Node, NodeTemplate, Site
from api.ipam.models import Address, AddressPool
from tests.factories.estate import TEMPLATES, estate, import_estate, node, node_for, site, stock
from tests.fixtures.shop import Shop

COUNTED = (Site, Node, NodeTemplate, AddressPool, Address, DnsZone)


def counts(shop: Shop) -> list[int]:
    """Return how many rows each table of an estate has."""
    return [len(shop.all(model)) for model in COUNTED]


def test_importing_twice_is_importing_once(empty_shop: Shop) -> None:
    """Every start of the system does it."""
    empty_shop.stock()
    once = counts(empty_shop)
    import_estate(empty_shop.database, empty_shop.vault)
    assert counts(empty_shop) == once == [1, 3, 6, 2, 253, 1]


def test_a_later_document_updates_what_is_there(empty_shop: Shop) -> None:
    """A node is known by its name; a rotated token and new hardware arrive."""
    empty_shop.stock()
    changed = node("cloud-1", "cloud", api_token="rotated", memory_mib=200_000, endpoint="https://new.example:8006")
    import_estate(empty_shop.database, empty_shop.vault, estate(nodes=[changed]))
    (found,) = [row for row in empty_shop.all(Node) if row.name == "cloud-1"]
    assert (found.total_memory_mib, found.endpoint) == (195_904, "https://new.example:8006")
    assert empty_shop.vault.open(found.sealed_token) == "rotated"


def test_a_node_that_the_document_leaves_out_stays(empty_shop: Shop) -> None:
    """Guests live on it: taking hardware out is a decision of its own."""
    empty_shop.stock()
    import_estate(empty_shop.database, empty_shop.vault, estate(nodes=[]))
    assert len(empty_shop.all(Node)) == 3


def test_node_credentials_are_sealed(empty_shop: Shop) -> None:
    """Not readable in the database, nor in a repr of the document."""
    empty_shop.stock()
    (cloud,) = [row for row in empty_shop.all(Node) if row.name == "cloud-1"]
    assert b"slipway@pve" not in cloud.sealed_token
    assert "00000000-0000-4000" not in repr(EstateDocument.model_validate(estate()))


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (estate(nodes=[node("n", "bot", site="mars")]), "node 'n' is at site 'mars', which the document does not"),
        (estate(pools=[{"name": "p", "site": "mars", "family": 4, "cidr": "192.0.2.0/24", "gateway": "192.0.2.1"}]),
         "pool 'p' is at site 'mars'"),
        (estate(nodes=[node("n", "bot", templates=[{"template": "python-bot", "version": "9", "source": "x"}])]),
         "node 'n' holds template 'python-bot' version '9', which the template registry does not know"),
        (estate(nodes=[node("n", "bot", templates=[{"template": "hal", "version": "1", "source": "x"}])]),
         "template 'hal'"),
        (estate(nodes=[node("n", "cloud", templates=[TEMPLATES["cloud"][0] | {"source": "local:vztmpl/x"}])]),
         "'source' of template 'debian-12' must be a VMID"),
        (estate(nodes=[node("n", "cloud", templates=[TEMPLATES["cloud"][0] | {"source": "99"}])]),
         "must be a VMID"),
        (estate(nodes=[node("n", "bot", templates=[TEMPLATES["bot"][0] | {"source": "9000"}])]),
         "'source' of template 'python-bot' must be a volume"),
    ],
)  # fmt: skip
def test_what_the_document_cannot_mean_is_named(empty_shop: Shop, document: dict[str, Any], complaint: str) -> None:
    """The error says which entry, and nothing of the document is kept."""
    with pytest.raises(InvalidInput, match=complaint):
        stock(empty_shop.database, empty_shop.vault, document)
    assert empty_shop.all(Node) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "node_1"}, "name"),
        ({"name": "../etc"}, "name"),
        ({"endpoint": "http://node.example:8006"}, "endpoint"),
        ({"cores": 0}, "cores"),
        ({"memory_mib": -5}, "memory_mib"),
        ({"cpu_overcommit": 0.5}, "cpu_overcommit"),
        ({"storage": "local zfs"}, "storage"),
        ({"bridge": "vmbr0;reboot"}, "bridge"),
        ({"workload_class": "mainframe"}, "workload_class"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_malformed_node_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    """Plain HTTP too: the node's token would travel in clear."""
    with pytest.raises(ValidationError) as caught:
        EstateDocument.model_validate(estate(nodes=[node("n", "bot") | change]))
    assert caught.value.errors()[0]["loc"] == ("nodes", 0, field)


@pytest.mark.parametrize(
    "change",
    [
        {"gateway": "fe80::1"},
        {"family": 6},
        {"cidr": "2001:db8::/48"},
        {"cidr": "192.0.2.1/24"},
    ],
)
def test_a_pool_speaks_of_one_ip_version(change: dict[str, Any]) -> None:
    """And its network has no host bits set."""
    pool = {"name": "p", "site": "fsn", "family": 4, "cidr": "192.0.2.0/24", "gateway": "192.0.2.1"} | change
    with pytest.raises(ValidationError, match="address_pools"):
        EstateDocument.model_validate(estate(pools=[pool]))


@pytest.mark.parametrize("nameservers", [[], ["resolver.example"], ["192.0.2.1"] * 4])
def test_a_site_gives_its_guests_one_to_three_resolvers(nameservers: list[str]) -> None:
    """By address: a guest without a resolver finds nothing, and cloud-init takes no more than three."""
    with pytest.raises(ValidationError, match=r"sites\.0\.nameservers"):
        EstateDocument.model_validate(estate(sites=[site("fsn") | {"nameservers": nameservers}]))


@pytest.mark.parametrize("zone", [{"name": "no-dot"}, {"name": "play.example\n"}, {"provider_zone_id": "../zones"}])
def test_a_malformed_zone_is_refused(zone: dict[str, Any]) -> None:
    """It becomes part of every workload's name."""
    zones = [{"name": "play.example", "provider_zone_id": "abc"} | zone]
    with pytest.raises(ValidationError, match="dns_zones"):
        EstateDocument.model_validate(estate(dns_zones=zones))


def test_the_host_keeps_its_reserve() -> None:
    """Cores may be overcommitted, memory and disk never."""
    entry = NodeEntry.model_validate(node("n", "bot", cores=10, memory_mib=10_000, disk_gib=100, cpu_overcommit=2.5))
    assert (entry.sellable_cores, entry.sellable_memory_mib, entry.sellable_disk_gib) == (20, 5_904, 50)


def test_a_host_smaller_than_its_reserve_sells_nothing() -> None:
    """Never less than nothing."""
    entry = NodeEntry.model_validate(node("n", "bot", cores=1, memory_mib=1024, disk_gib=10))
    assert (entry.sellable_cores, entry.sellable_memory_mib, entry.sellable_disk_gib) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cores": 2}, "'cores' leaves 0 to sell, but 1 are sold"),
        ({"memory_mib": 5000}, "'memory_mib' leaves 904 to sell, but 2048 are sold"),
        ({"disk_gib": 60}, "'disk_gib' leaves 10 to sell, but 20 are sold"),
    ],
)
def test_a_node_cannot_shrink_below_what_is_sold_on_it(
    empty_shop: Shop, change: dict[str, Any], complaint: str
) -> None:
    """The document is wrong, or customers have to be moved first."""
    empty_shop.stock(estate(nodes=[node_for(1)]))
    empty_shop.place()
    with pytest.raises(InvalidInput, match=f"node 'cloud-1': {complaint}"):
        import_estate(empty_shop.database, empty_shop.vault, estate(nodes=[node_for(1, **change)]))


def test_an_import_does_not_touch_what_is_used(empty_shop: Shop) -> None:
    """The allocator's own numbers survive."""
    empty_shop.stock()
    empty_shop.place()
    used = empty_shop.room_used()
    import_estate(empty_shop.database, empty_shop.vault)
    assert empty_shop.room_used() == used


def test_a_new_default_zone_replaces_the_old_one(empty_shop: Shop) -> None:
    """Two defaults would stop every order; workloads of the old zone keep their names."""
    empty_shop.stock()
    old = empty_shop.place()
    zones = [{"name": "new.example", "provider_zone_id": "f00"}]
    import_estate(empty_shop.database, empty_shop.vault, estate(dns_zones=zones))
    assert [zone.name for zone in empty_shop.all(DnsZone) if zone.is_default] == ["new.example"]
    new = empty_shop.place()
    assert empty_shop.workload(new).desired["dns"]["zone_name"] == "new.example"
    assert empty_shop.workload(old).desired["dns"]["zone_name"] == "play.example"
