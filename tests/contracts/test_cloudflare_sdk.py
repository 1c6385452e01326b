"""The official ``cloudflare`` SDK drives the stand-in as it would drive Cloudflare."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cloudflare
import pytest
from cloudflare import Cloudflare

if TYPE_CHECKING:
    from lab.client import RunningLab


@pytest.fixture
def client(lab: "RunningLab") -> Iterator[Cloudflare]:
    """The SDK with the lab's token, without retries so that errors show."""
    section = lab.document.cloudflare
    with Cloudflare(api_token=section.api_token, base_url=section.base_url, max_retries=0) as sdk:
        yield sdk


@pytest.fixture
def zone_id(lab: "RunningLab") -> str:
    """The lab's zone."""
    return lab.document.cloudflare.zone_id


def test_the_zone_is_found_by_name_and_id(client: Cloudflare, zone_id: str) -> None:
    """As inventory would look it up."""
    assert [zone.id for zone in client.zones.list(name="slipway.example")] == [zone_id]
    assert list(client.zones.list(name="other.example")) == []
    found = client.zones.get(zone_id=zone_id)
    assert found is not None
    assert (found.name, found.status) == ("slipway.example", "active")


def test_a_record_lives_through_create_edit_update_and_delete(client: Cloudflare, zone_id: str) -> None:
    """Every verb the SDK has for one record."""
    dns = client.dns.records
    made = dns.create(zone_id=zone_id, type="A", name="a.slipway.example", content="203.0.113.2", ttl=60, comment="o1")
    assert made is not None
    edited = dns.edit(made.id, zone_id=zone_id, type="A", name="a.slipway.example", ttl=300)
    assert edited is not None
    assert (edited.content, edited.ttl, edited.comment) == ("203.0.113.2", 300, "o1")
    updated = dns.update(made.id, zone_id=zone_id, type="A", name="b.slipway.example", content="203.0.113.3", ttl=1)
    assert updated is not None
    assert (updated.name, updated.comment) == ("b.slipway.example", None)
    read = dns.get(made.id, zone_id=zone_id)
    assert read is not None
    assert read.content == "203.0.113.3"
    deleted = dns.delete(made.id, zone_id=zone_id)
    assert deleted is not None
    assert deleted.id == made.id
    with pytest.raises(cloudflare.NotFoundError) as caught:
        dns.get(made.id, zone_id=zone_id)
    assert caught.value.errors[0].code == 81044


def test_lists_are_filtered_and_paged(client: Cloudflare, zone_id: str) -> None:
    """The SDK turns the pages by ``result_info``."""
    for number in range(7):
        client.dns.records.create(
            zone_id=zone_id, type="A", name=f"n{number}.slipway.example", content=f"203.0.113.{number + 10}", ttl=60
        )
    client.dns.records.create(zone_id=zone_id, type="TXT", name="n1.slipway.example", content='"hello"', ttl=60)
    records = client.dns.records
    assert len(list(records.list(zone_id=zone_id, per_page=3))) == 8
    assert len(records.list(zone_id=zone_id, per_page=3).result) == 3
    assert [item.type for item in records.list(zone_id=zone_id, name={"exact": "n1.slipway.example"})] == ["A", "TXT"]
    assert len(list(records.list(zone_id=zone_id, type="TXT"))) == 1
    assert len(list(records.list(zone_id=zone_id, content={"exact": "203.0.113.12"}))) == 1
    assert len(list(records.list(zone_id=zone_id, name={"startswith": "n"}, type="A"))) == 7
    either = records.list(zone_id=zone_id, match="any", type="TXT", name={"exact": "n0.slipway.example"})
    assert {item.name for item in either} == {"n0.slipway.example", "n1.slipway.example"}


def test_a_duplicate_is_refused_with_cloudflare_s_code(client: Cloudflare, zone_id: str) -> None:
    """81058: the code that a create which is tried again meets."""
    fields = {"zone_id": zone_id, "type": "A", "name": "a.slipway.example", "content": "203.0.113.2", "ttl": 60}
    client.dns.records.create(**fields)  # type: ignore[call-overload] # the SDK overloads by literal type
    with pytest.raises(cloudflare.BadRequestError) as caught:
        client.dns.records.create(**fields)  # type: ignore[call-overload] # the SDK overloads by literal type
    assert caught.value.errors[0].code == 81058


def test_strangers_are_refused(lab: "RunningLab", zone_id: str) -> None:
    """A wrong token is 403, another account's zone too."""
    section = lab.document.cloudflare
    with Cloudflare(api_token="wrong", base_url=section.base_url, max_retries=0) as stranger:
        with pytest.raises(cloudflare.PermissionDeniedError) as caught:
            stranger.zones.get(zone_id=zone_id)
        assert caught.value.errors[0].code == 9109
    with (
        Cloudflare(api_token=section.api_token, base_url=section.base_url, max_retries=0) as ours,
        pytest.raises(cloudflare.PermissionDeniedError),
    ):
        ours.zones.get(zone_id="0" * 32)


def test_the_rate_limit_answers_429_with_the_time_to_wait(lab: "RunningLab", client: Cloudflare, zone_id: str) -> None:
    """The SDK and the provider retry by the header."""
    lab.faults.cloudflare.set_rate_limit(1)
    client.zones.get(zone_id=zone_id)
    with pytest.raises(cloudflare.RateLimitError) as caught:
        client.zones.get(zone_id=zone_id)
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 300


def test_faults_break_requests_in_every_way(lab: "RunningLab", client: Cloudflare, zone_id: str) -> None:
    """An error answer, and a lost answer after which the record is there."""
    lab.faults.cloudflare.add("error", status=500, message="boom", times=1)
    with pytest.raises(cloudflare.InternalServerError, match="boom"):
        client.zones.get(zone_id=zone_id)
    lab.faults.cloudflare.add("lose_answer", method="POST", times=1)
    with pytest.raises(cloudflare.APIConnectionError):
        client.dns.records.create(zone_id=zone_id, type="A", name="a.slipway.example", content="203.0.113.2", ttl=60)
    assert lab.truth.records() == {("a.slipway.example", "A"): ["203.0.113.2"]}
