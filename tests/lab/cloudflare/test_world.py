"""The account as a whole."""

from pathlib import Path

import pytest

from lab.cloudflare.app import new_world
from lab.cloudflare.errors import ApiError
from lab.cloudflare.settings import CloudflareSettings
from lab.cloudflare.world import World
from lab.document import CloudflareSection
from lab.memory import Memory


def settings(*, bare: bool) -> CloudflareSettings:
    """A lab's, with or without its zone from the start."""
    section = CloudflareSection(api_token="t", account_id="a", zone_id="z", zone_name="slipway.example")
    return CloudflareSettings(section=section, control_token="c", bare=bare)


def test_a_bare_lab_has_no_zone_and_another_the_configured_one() -> None:
    """By its id, which the estate's document names."""
    assert list(new_world(settings(bare=True)).contents.domains) == []
    assert list(new_world(settings(bare=False)).contents.domains) == ["z"]


def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    """Zones with their rules and balancers, pools that these stand on, tunnels with their tokens."""
    before = World("a")
    domain = before.create_zone({"name": "a.example", "account": {"id": "a"}})
    origin = {"name": "o", "address": "192.0.2.1"}
    pool = before.contents.balancing.pools.create({"name": "p", "origins": [origin]})
    domain.balancers.create({"name": "api.a.example", "default_pools": [pool["id"]], "fallback_pool": pool["id"]})
    domain.settings.change("ssl", {"value": "strict"})
    tunnel = before.contents.tunnels.create({"name": "t", "config_src": "cloudflare"})
    Memory(str(tmp_path / "memory")).keep(before.contents)

    after = World("a")
    after.contents = Memory(str(tmp_path / "memory")).recall()
    assert after.domain(domain.zone.id).settings.get("ssl")["value"] == "strict"
    assert after.contents.tunnels.token(tunnel["id"]) == tunnel["token"]
    with pytest.raises(ApiError) as caught:
        after.delete_pool(pool["id"])
    assert caught.value.status == 412
    with pytest.raises(ApiError) as caught:
        after.domain(domain.zone.id).balancers.create(
            {"name": "b.a.example", "default_pools": ["x"], "fallback_pool": "x"}
        )
    assert caught.value.status == 404
