"""What the control plane may be."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.specs.platform.control_plane import ControlPlaneSpec
from tests.fixtures.platform_stacks import lab_spec

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    """The lab's."""
    return lab_spec("lab-control-plane")


def problems(document: Document) -> dict[str, str]:
    """What is wrong, by place."""
    with pytest.raises(ValidationError) as caught:
        ControlPlaneSpec.model_validate(document)
    return {".".join(map(str, item["loc"])): item["msg"] for item in caught.value.errors()}


def test_names_and_addresses_are_there_once(document: Document) -> None:
    """Across all roles; the gateway and the load balancer have theirs, too."""
    document["redis"]["name"] = "api-1"
    document["workers"][0]["private_address"] = document["api"][1]["private_address"]
    document["postgres"][0]["private_address"] = "10.10.0.1"
    document["postgres"][1]["private_address"] = "10.10.1.3"
    found = problems(document)
    assert "another server named 'api-1'" in found["redis.name"]
    assert found["workers.0.private_address"].startswith("10.10.0.12 is the address of 'api-2'")
    assert found["postgres.0.private_address"].startswith("10.10.0.1 is the address of 'gateway'")
    assert found["postgres.1.private_address"].startswith("10.10.1.3 is the address of 'load balancer'")


def test_an_address_is_inside(document: Document) -> None:
    """Elsewhere nobody would reach it."""
    document["redis"]["private_address"] = "10.11.0.41"
    assert problems(document) == {"redis.private_address": "10.11.0.41 is outside 10.10.0.0/16"}


def test_the_gateway_is_hetzners(document: Document) -> None:
    """Nothing else forwards to the network's routes."""
    document["inside"]["gateway"] = "10.10.0.254"
    assert problems(document) == {"inside.gateway": "Hetzner's is the network's first address, 10.10.0.1"}


@pytest.mark.parametrize("name", ["SLIPWAY_MASTER_KEYS", "DATABASE_URL", "REDIS_URL", "SLIPWAY_STRIPE_SECRET_KEY"])
def test_a_secret_is_no_setting(document: Document, name: str) -> None:
    """It would be in user data and state; the message says where it belongs."""
    document["settings"][name] = "canary"
    found = problems(document)
    assert "is a secret: it comes onto the server later, see docs/deploy.md" in found[f"settings.{name}"]
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("postgres", [], "at least 2 items"),
        ("api", [], "at least 1 item"),
        ("release", {"repository": "git@host:x.git", "revision": "v1"}, "match pattern"),
        ("release", {"repository": "https://host/x.git", "revision": "$(reboot)"}, "match pattern"),
        ("settings", {"SLIPWAY_X": "one\ntwo"}, "match pattern"),
    ],
)
def test_what_cannot_be_is_refused(document: Document, field: str, value: object, complaint: str) -> None:
    """Also what a shell on the servers would take for more than a name."""
    document[field] = value
    assert any(place.startswith(field) and complaint in text for place, text in problems(document).items())
