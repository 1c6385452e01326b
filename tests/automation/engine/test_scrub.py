"""Taking secrets out of texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.engine.scrub import MASK, Scrubber, secret_values


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("PVEAPIToken=slipway@pve!lab=0b0e2c52-6d5e-4a2f-9f0a-0123456789ab", "0b0e2c52"),
        ("token slipway@pve!lab=0b0e2c52-6d5e-4a2f-9f0a-0123456789ab is bad", "0b0e2c52"),
        ("connect postgres://app:hunter2@db/state", "hunter2"),
        ("boom password=hunter2, sorry", "hunter2"),
        ('{"api_key": "hunter2"}', "hunter2"),
        ("key sk_test_51Habc", "51Habc"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----", "abc"),
        ("session 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "9f86d081884c7d65"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    """Even if nobody told the scrubber about it."""
    clean = Scrubber()(text)

    assert secret not in clean
    assert MASK in clean


@pytest.mark.parametrize(
    "text",
    [
        "Creating virtual machine web-1",
        "order-01932c07-0000-7000-8000-000000000001",
        "urn:pulumi:w-1::slipway::proxmoxve:index/vmLegacy:VmLegacy::workload",
        "unable to create VM 201: config file already exists",
        "http://127.0.0.1:8006/api2/json",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """A customer can still read it."""
    assert Scrubber()(text) == text


@given(st.text(min_size=8), st.text(), st.text())
def test_a_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    """Whatever it looks like and wherever it stands."""
    clean = Scrubber([secret])(f"{before} {secret} {after}")

    assert secret not in clean or secret in MASK or secret in f"{before} {MASK} {after}"


def test_secrets_of_an_environment_are_told_by_their_names() -> None:
    """Tokens, passphrases and the state's address; not the endpoints."""
    environment = {
        "PROXMOX_VE_API_TOKEN": "a",
        "PULUMI_CONFIG_PASSPHRASE": "b",
        "PULUMI_BACKEND_URL": "c",
        "PROXMOX_VE_ENDPOINT": "d",
    }

    assert secret_values(environment) == ["a", "b", "c"]
