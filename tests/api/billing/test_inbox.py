"""Only what Stripe itself has signed, just now, over exactly these bytes, gets in; and once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.billing.inbox import TOLERANCE_SECONDS, store, verify
from api.billing.models import StripeEvent
from api.errors import BadWebhook
from tests.factories.webhooks import SECRET, event_body, signature
from tests.fixtures.shop import Shop
from tests.races import at_once

BODY = event_body()


def test_a_signed_event_gets_in() -> None:
    """Signed as Stripe's documentation says, without the SDK that checks it here."""
    assert verify(BODY, signature(BODY), (SECRET,))["id"] == "evt_1"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "v1=",
        "t=,v1=",
        "t=now,v1=abc",
        "t=1",
        "garbage",
        "t=1,v1=é",
        f"t=9999999999,v0={'0' * 64}",
        f"t=9999999999,v1={'0' * 64}",
        "t=1," * 1000,
    ],
)
def test_whatever_is_no_signature_is_refused(header: str | None) -> None:
    """With one clear error, never a crash."""
    with pytest.raises(BadWebhook, match="Stripe-Signature"):
        verify(BODY, header, (SECRET,))


def test_another_secret_s_signature_is_refused() -> None:
    """Of another account, or of a test environment."""
    with pytest.raises(BadWebhook):
        verify(BODY, signature(BODY, "whsec_other"), (SECRET,))


def test_a_stale_signature_is_refused() -> None:
    """It may be a replay; one that is nearly as old is not."""
    with pytest.raises(BadWebhook, match="older than five minutes"):
        verify(BODY, signature(BODY, age_seconds=TOLERANCE_SECONDS + 60), (SECRET,))
    assert verify(BODY, signature(BODY, age_seconds=TOLERANCE_SECONDS - 60), (SECRET,))


def test_a_re_serialised_body_is_refused() -> None:
    """The same JSON in other bytes: some proxy has meddled, and could have meddled more."""
    again = json.dumps(json.loads(BODY)).encode()
    with pytest.raises(BadWebhook, match="does not fit this body"):
        verify(again, signature(BODY), (SECRET,))


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(position: int, difference: int) -> None:
    """Whichever byte is flipped, however."""
    forged = bytearray(BODY)
    forged[position] ^= difference
    with pytest.raises(BadWebhook):
        verify(bytes(forged), signature(BODY), (SECRET,))


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
def test_two_secrets_are_good_while_one_is_rolled(secret: str) -> None:
    """Stripe signs with either for a while."""
    assert verify(BODY, signature(BODY, secret), ("whsec_new", "whsec_old"))


def test_both_signatures_in_one_header_are_good() -> None:
    """While a secret is rolled, Stripe may send one of each."""
    stamp, _, one = signature(BODY, "whsec_old").partition(",")
    other = signature(BODY, SECRET).partition(",")[2]
    assert verify(BODY, f"{stamp},{one},{other}", (SECRET,))


def test_without_a_secret_nothing_gets_in() -> None:
    """A missing setting must not open the door."""
    with pytest.raises(BadWebhook):
        verify(BODY, signature(BODY, ""), ())
    with pytest.raises(BadWebhook):
        verify(BODY, signature(BODY, ""), ("",))


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a Stripe event"),
        (b"null", "not a Stripe event"),
        (b'{"type": "charge.refunded"}', "no 'id' or no 'type'"),
        (b'{"id": "evt_1"}', "no 'id' or no 'type'"),
        (b'{"id": 7, "type": "charge.refunded"}', "no 'id' or no 'type'"),
        (b'{"id": null, "type": null}', "no 'id' or no 'type'"),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes, complaint: str) -> None:
    """The error says what is missing."""
    with pytest.raises(BadWebhook, match=complaint):
        verify(body, signature(body), (SECRET,))


def test_an_event_is_stored_once(shop: Shop) -> None:
    """A duplicate is no news."""
    event = json.loads(BODY)
    assert shop.change(lambda session: store(session, event)) is True
    assert shop.change(lambda session: store(session, event)) is False
    (row,) = shop.all(StripeEvent)
    assert (row.id, row.type, row.livemode, row.payload) == ("evt_1", event["type"], False, event)


def test_an_event_that_comes_many_times_at_once_is_stored_once(shop: Shop) -> None:
    """Sixteen transactions: one of them is told to act on it (F25)."""
    event = json.loads(BODY)
    told = at_once([lambda: shop.change(lambda session: store(session, event))] * 16)
    assert told.count(True) == 1
    assert len(shop.all(StripeEvent)) == 1


def test_an_event_of_no_concern_is_kept_and_done(shop: Shop) -> None:
    """An account sends many; the record is complete and no task is made."""
    event = json.loads(event_body(kind="customer.created"))
    assert shop.change(lambda session: store(session, event)) is False
    assert shop.event("evt_1").outcome == "ignored: not an event we act on"
    assert shop.event("evt_1").processed_at is not None
