"""The lab's estate is one that Slipway's inventory takes."""

from api.inventory.estate import EstateDocument
from lab.document import LabDocument
from lab.estate import estate_document, node_entry, parse_nodes


def test_inventory_reads_the_lab_s_estate() -> None:
    """Every node, pool and zone passes the inventory's own checks."""
    nodes = parse_nodes("game=2,bot=1,cloud=2")
    document = LabDocument.fresh("slipway.example").with_nodes(nodes)
    entries = [
        node_entry(node, "https://127.0.0.1:8006", item.api_token)
        for node, item in zip(nodes, document.proxmox.nodes, strict=True)
    ]
    estate = EstateDocument.model_validate(estate_document(entries, 250, document.cloudflare.zone_id))
    assert len(estate.nodes) == 5
    assert [pool.family for pool in estate.address_pools] == [4, 4, 6]
