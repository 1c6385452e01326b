"""What may be kept for ever: no secrets, and only what comes back as it was written."""

from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from api.audit.cleaning import MASK, clean_document, clean_text


class Colour(StrEnum):
    """A value that is not plain text."""

    RED = "red"


@pytest.mark.parametrize(
    "name", ["password", "api_token", "passphrase", "stripe_secret", "api_token_encrypted", "token_hash", "private_key"]
)
def test_a_secret_is_masked_by_its_name(name: str) -> None:
    """At any depth; the name stays, so that a reader sees that it changed."""
    assert clean_document({"node": [{name: "canary"}]}) == {"node": [{name: MASK}]}


@pytest.mark.parametrize(
    "secret",
    [
        "slw_0123456789abcdef",
        "sk_test_0123",
        "whsec_abc",
        "slipway@pve!worker=01234567-89ab-cdef-0123-456789abcdef",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----",
    ],
)
def test_a_secret_is_masked_by_its_shape(secret: str) -> None:
    """Whatever it is called, and in the middle of a sentence."""
    assert clean_text(f"before {secret} after") == f"before {MASK} after"
    assert clean_document({"note": secret}) == {"note": MASK}


def test_a_password_in_an_address_is_masked() -> None:
    """The rest of the address stays readable."""
    assert clean_text("postgresql://user:canary@host/db") == f"postgresql://{MASK}@host/db"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (1.0, 1),
        (1e22, 10**22),
        (-0.0, 0),
        (Decimal("2.50"), 2.5),
        (Colour.RED, "red"),
        (UUID(int=1), str(UUID(int=1))),
        ({"b", "a"}, ["a", "b"]),
        ((1, None), [1, None]),
        (True, True),
        ("a\x00b\ud800", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_value_becomes_what_jsonb_gives_back(value: Any, kept: Any) -> None:
    """Else an honest record would look changed."""
    found = clean_document({"value": value})["value"]
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    """JSON has none of these."""
    with pytest.raises(ValueError, match="not finite"):
        clean_document({"value": value})


def test_what_json_has_no_form_for_is_refused() -> None:
    """By its type, at the place of the mistake."""
    with pytest.raises(TypeError, match="cannot hold a bytes"):
        clean_document({"value": b"raw"})
