"""Types of the fields that customers fill in."""

from typing import Annotated, Final

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, SecretStr, StringConstraints, WithJsonSchema

PASSWORD_LENGTH: Final = (12, 128)
_MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, as corrected by erratum 1690


def normalise_email(value: str) -> str:
    """Return the one spelling under which we know an address: lower case, an international domain in its ASCII form.

    Nothing is asked of the network.

    Raises:
        ValueError: if it is no address that a mail can be sent to; the message says why.
    """
    if len(value) > _MAX_EMAIL:
        raise ValueError(f"an email address has at most {_MAX_EMAIL} characters")
    try:
        parts = validate_email(value, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValueError(f"not an email address such as name@example.com: {error}") from None
    return f"{parts.local_part}@{parts.ascii_domain}".lower()


def _check_unicode(value: SecretStr) -> SecretStr:
    """Refuse lone surrogates: JSON can hold them, but there are no bytes to hash."""
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("use Unicode characters only") from None
    return value


def _check_password(value: SecretStr) -> SecretStr:
    _check_unicode(value)
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(value.get_secret_value()) <= longest:
        raise ValueError(f"use {shortest} to {longest} characters")
    return value


def _check_label(value: str) -> str:
    if not value.isprintable():
        raise ValueError("use one line of printable characters")
    return value


Email = Annotated[
    str, AfterValidator(normalise_email), WithJsonSchema({"type": "string", "format": "email", "maxLength": _MAX_EMAIL})
]
"""An email address, normalised."""

NewPassword = Annotated[
    SecretStr,
    AfterValidator(_check_password),
    Field(json_schema_extra={"minLength": PASSWORD_LENGTH[0], "maxLength": PASSWORD_LENGTH[1]}),
]
"""A password that somebody chooses: long rather than complicated (NIST SP 800-63B, section 5.1.1)."""

Password = Annotated[SecretStr, Field(max_length=1024), AfterValidator(_check_unicode)]
"""A password that somebody claims to know; its length is bounded because all of it is hashed."""

Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_check_label)
]
"""A name that a customer gives to a thing, for people to read."""
