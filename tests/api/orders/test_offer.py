"""A request is resolved against the catalogue, and put into plain words."""

from typing import Any

import pytest
from sqlalchemy import update

from api.catalogue.models import Product, Size
from api.errors import InvalidInput
from api.orders.offer import Offer, find_offer
from tests.factories.orders import BOT, CLOUD_VM, GAME_SERVER, order_request
from tests.fixtures.shop import Shop


def find(shop: Shop, **changes: Any) -> Offer:
    """Resolve a request."""
    return shop.change(lambda session: find_offer(session, order_request(**changes)))


def test_the_price_is_the_catalogue_s(shop: Shop) -> None:
    """A request cannot even name one."""
    offer = find(shop)
    assert (offer.size.price_cents, offer.size.currency) == (450, "eur")
    assert offer.description == "Cloud VM, 1 core / 2 GiB, Debian 12 (bookworm)"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            CLOUD_VM,
            [
                "a new virtual machine with 1 core, 2 GiB of memory and 20 GiB of disk",
                "Debian 12 (bookworm), ready to use",
                "one public IPv4 address and an IPv6 /64 network",
                "two DNS records (A and AAAA)",
                "a firewall that lets in 22/tcp",
            ],
        ),
        (
            GAME_SERVER | {"template": "source-engine"},
            [
                "a new game server with 2 cores, 2 GiB of memory and 10 GiB of disk",
                "Source engine (Team Fortress 2, Garry's Mod, Counter-Strike Source), ready to use",
                "one public IPv4 address and an IPv6 /64 network",
                "two DNS records (A and AAAA)",
                "a firewall that lets in 27015/udp, 27015/tcp, 27020/udp",
            ],
        ),
        (
            BOT,
            [
                "a new bot container with 1 core, 256 MiB of memory and 2 GiB of disk",
                "Python 3.12 bot, ready to use",
                "one public IPv4 address and an IPv6 /64 network",
                "two DNS records (A and AAAA)",
                "a firewall that lets nothing in",
            ],
        ),
    ],
    ids=["cloud-vm", "game-server", "bot"],
)
def test_a_quote_says_in_words_what_would_be_made(shop: Shop, request_: dict[str, Any], words: list[str]) -> None:
    """Somebody who knows no jargon understands what they buy."""
    assert find(shop, **{"ssh_keys": [], **request_}).includes() == words


@pytest.mark.parametrize(
    ("change", "field", "complaint"),
    [
        ({"product": "mainframe"}, "product", "there is no product 'mainframe'"),
        ({"size": "galactic"}, "size", "'cloud-vm' has no size 'galactic'"),
        ({"size": "nano"}, "size", "'cloud-vm' has no size 'nano'"),
        ({"template": "windows-95"}, "template", "'cloud-vm' cannot be ordered with template 'windows-95'"),
        ({"template": "minecraft-java"}, "template", "'cloud-vm' cannot be ordered with template 'minecraft-java'"),
    ],
)
def test_what_is_not_sold_is_named(shop: Shop, change: dict[str, Any], field: str, complaint: str) -> None:
    """Also a size or a template of another product."""
    with pytest.raises(InvalidInput, match=complaint) as caught:
        find(shop, **change)
    assert caught.value.fields == {"field": field}


def test_a_size_too_small_for_the_template_is_refused(shop: Shop) -> None:
    """The error says how much is needed and how much there is."""
    shop.change(lambda session: session.execute(update(Size).where(Size.slug == "small").values(memory_mib=1024)))
    with pytest.raises(InvalidInput, match="needs at least 2048 MiB of memory, size 'small' has 1024 MiB") as caught:
        find(shop, **GAME_SERVER, ssh_keys=[])
    assert caught.value.fields == {"field": "size"}


def test_a_withdrawn_product_is_not_sold(shop: Shop) -> None:
    """Its row stays for the orders of the past."""
    shop.change(lambda session: session.execute(update(Product).values(is_offered=False)))
    with pytest.raises(InvalidInput, match="there is no product 'cloud-vm'"):
        find(shop)
