"""The fields that customers fill in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.auth.fields import Email, Label, NewPassword, normalise_email

LABEL: TypeAdapter[str] = TypeAdapter(Label)


@pytest.mark.parametrize(
    ("given_address", "known_as"),
    [
        ("Ada.Lovelace@Example.COM", "ada.lovelace@example.com"),
        ("a+tag@example.com", "a+tag@example.com"),
        ("post@Bücher.example.com", "post@xn--bcher-kva.example.com"),
        ("post@xn--bcher-kva.example.com", "post@xn--bcher-kva.example.com"),
    ],
)
def test_an_address_has_one_spelling(given_address: str, known_as: str) -> None:
    """Two accounts cannot differ by letter case or by the way a domain is written."""
    assert normalise_email(given_address) == known_as


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b",
        "a@localhost",
        "a@@example.com",
        "a b@example.com",
        "a@example.com\n",
        "a@example.com\nBcc: b@example.com",
        "a\x00@example.com",
        "ünï@example.com",
        "Ada <ada@example.com>",
        "a@[127.0.0.1]",
        "x" * 300 + "@example.com",
        "a@" + "x." * 200 + "example.com",
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(address: str) -> None:
    """No header can be smuggled, nothing unbounded is stored."""
    with pytest.raises(ValueError, match="email address"):
        normalise_email(address)


@given(st.text(max_size=320) | st.emails())
def test_normalising_fails_with_a_value_error_or_settles(value: str) -> None:
    """Whatever comes in, it is refused in words or has a spelling that normalises to itself."""
    try:
        known_as = normalise_email(value)
    except ValueError:
        return
    assert normalise_email(known_as) == known_as
    assert known_as.isascii()
    assert known_as.isprintable()


@pytest.mark.parametrize(("length", "is_good"), [(11, False), (12, True), (128, True), (129, False)])
def test_a_password_has_12_to_128_characters(length: int, *, is_good: bool) -> None:
    """Long rather than complicated; the bound keeps a megabyte from being hashed."""
    adapter = TypeAdapter(NewPassword)
    if is_good:
        assert adapter.validate_python("ä" * length).get_secret_value() == "ä" * length
    else:
        with pytest.raises(ValidationError, match="use 12 to 128 characters"):
            adapter.validate_python("ä" * length)


def test_the_json_schema_tells_the_bounds() -> None:
    """Generated clients can check before they send."""
    assert TypeAdapter(Email).json_schema() == {"type": "string", "format": "email", "maxLength": 254}
    schema = TypeAdapter(NewPassword).json_schema()
    assert (schema["minLength"], schema["maxLength"], schema["format"]) == (12, 128, "password")


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x00b", "\u202ereversed", "x" * 101, "\ud800"])
def test_a_name_is_one_short_line_of_visible_text(name: str) -> None:
    """No control character, no change of writing direction, nothing empty."""
    with pytest.raises(ValidationError):
        LABEL.validate_python(name)


def test_a_name_may_be_in_any_language() -> None:
    """Spaces around it go."""
    assert LABEL.validate_python("  Mein Schlüssel 🔑 鍵 ") == "Mein Schlüssel 🔑 鍵"
