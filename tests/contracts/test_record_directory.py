"""What every ``RecordDirectory`` promises: the fake one of the tests, and the real one on the lab's Cloudflare."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cloudflare import Cloudflare

from automation.drift.records import CloudflareRecords, RecordDirectory, RecordError
from tests.fakes.records import FakeRecords
from tests.fixtures.runner import worker_settings

if TYPE_CHECKING:
    from lab.client import RunningLab


@dataclass
class Site:
    """A directory with one zone, and ways to write to it and to cut it off."""

    records: RecordDirectory
    zone: str
    put: Callable[[str, str, str], str]
    cut_off: Callable[[], Any]


@pytest.fixture(params=["fake", "cloudflare"])
def site(request: pytest.FixtureRequest, tmp_path: Any) -> Site:
    """Return each implementation in turn."""
    if request.param == "fake":
        fake = FakeRecords()
        return Site(
            fake,
            "zone",
            lambda name, content, comment: fake.put("zone", name, "A", content, comment),
            lambda: setattr(fake, "is_reachable", False),
        )
    lab: RunningLab = request.getfixturevalue("lab")
    zone = lab.document.cloudflare
    settings = worker_settings(tmp_path, cloudflare_api_token=zone.api_token, cloudflare_base_url=zone.base_url)

    def put(name: str, content: str, comment: str) -> str:
        with Cloudflare(api_token=zone.api_token, base_url=zone.base_url) as client:
            record: dict[str, Any] = {"name": name, "type": "A", "content": content, "ttl": 300, "comment": comment}
            created = client.dns.records.create(zone_id=zone.zone_id, **record)
            assert created is not None
            return str(created.id)

    return Site(CloudflareRecords(settings), zone.zone_id, put, lambda: lab.faults.cloudflare.add("error", status=400))


def _name(site: Site, label: str, lab_zone: str = "play.example") -> str:
    return f"{label}.{lab_zone}" if site.zone == "zone" else label


def test_records_are_listed_with_what_tells_whose_they_are(site: Site) -> None:
    """Name, type, content, and the comment that names the order."""
    identifier = site.put(_name(site, "box"), "203.0.113.5", "order-1")
    (listed,) = site.records.listing(site.zone)
    assert (listed.id, listed.type, listed.content, listed.comment) == (identifier, "A", "203.0.113.5", "order-1")
    assert listed.name.startswith("box.")


def test_a_record_that_bears_the_comment_is_removed(site: Site) -> None:
    """Asking for one that is gone is no error."""
    identifier = site.put(_name(site, "box"), "203.0.113.5", "order-1")
    assert site.records.remove(site.zone, identifier, "order-1")
    assert list(site.records.listing(site.zone)) == []
    assert site.records.remove(site.zone, identifier, "order-1")


def test_a_record_without_the_comment_is_never_removed(site: Site) -> None:
    """It may have become somebody else's since it was listed."""
    identifier = site.put(_name(site, "box"), "203.0.113.5", "somebody else's")
    assert not site.records.remove(site.zone, identifier, "order-1")
    assert len(list(site.records.listing(site.zone))) == 1


def test_a_provider_that_does_not_answer_is_not_taken_for_an_empty_zone(site: Site) -> None:
    """It is an error, and no list."""
    site.put(_name(site, "box"), "203.0.113.5", "order-1")
    site.cut_off()
    with pytest.raises(RecordError, match="could not be listed"):
        site.records.listing(site.zone)
