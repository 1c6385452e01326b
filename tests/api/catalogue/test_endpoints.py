"""The catalogue over HTTP, open to everybody."""

from tests.fixtures.api import Api
from tests.fixtures.shop import Shop


def test_anybody_can_see_what_is_sold(api: Api, api_shop: Shop) -> None:
    """Without an account: products, sizes with prices in cents, templates with what they need."""
    assert api_shop.database is api.runtime.database
    found = {product["slug"]: product for product in api.client().get("/v1/products").raise_for_status().json()}
    assert set(found) == {"bare-metal", "bot", "cloud-vm", "game-server"}
    assert found["bot"]["sizes"][0] == {
        "slug": "nano",
        "name": "256 MiB",
        "cores": 1,
        "memory_mib": 256,
        "disk_gib": 2,
        "price_cents": 150,
        "currency": "eur",
    }
    minecraft = found["game-server"]["templates"][0]
    assert (minecraft["slug"], minecraft["version"], minecraft["minimum_memory_mib"]) == (
        "minecraft-java",
        "1.21",
        2048,
    )
    metal = found["bare-metal"]["templates"][0]
    assert (metal["slug"], metal["layouts"]) == ("debian-12-metal", ["single", "raid1"])
    assert minecraft["layouts"] == []


def test_an_empty_shop_sells_nothing(api: Api) -> None:
    """An empty list, not an error."""
    assert api.client().get("/v1/products").raise_for_status().json() == []
