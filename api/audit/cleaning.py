"""Makes what is to be recorded fit to be kept for ever: no secrets, and nothing that JSON or PostgreSQL would alter.

The hash is made before the row is written and checked after it is read back: both must see the same document.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

MASK = "[secret]"
_SECRET_NAME = re.compile(
    r"(?i)(password|passphrase|passwd|secret|credential|private_?key|api_?key|token)(_encrypted|_hash)?$"
)
_SECRET_SHAPE = re.compile(
    r"\bslw_[A-Za-z0-9_-]{8,}"  # an API token of ours
    r"|\b[srp]k_(?:test|live)_\w+|\bwhsec_\w+"  # Stripe
    r"|[\w.+-]+@[\w.-]+![\w.-]+=[0-9a-fA-F-]{16,}"  # Proxmox VE
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # user:password in an address
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Return a text without secrets, and without what PostgreSQL cannot store (NUL, lone surrogates)."""
    return _SECRET_SHAPE.sub(MASK, _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def clean_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object like ``document``: secrets masked by name and by shape, numbers as JSONB keeps them.

    Raises:
        TypeError: for a value that JSON has no form for.
        ValueError: for a number that is none, or infinite.
    """
    return {clean_text(str(name)): _member(str(name), value) for name, value in document.items()}


def _member(name: str, value: Any) -> Any:
    return MASK if value is not None and _SECRET_NAME.search(name) else _clean(value)


def _clean(value: Any) -> Any:  # noqa: PLR0911 - one line for each type of JSON's
    match value:
        case None | bool():
            return value
        case Enum():
            return _clean(value.value)
        case str():
            return clean_text(value)
        case int():
            return int(value)
        case float() | Decimal():
            return _number(value)
        case datetime() | UUID():
            return str(value)
        case Mapping():
            return clean_document(value)
        case list() | tuple() | set() | frozenset():
            items = [_clean(item) for item in value]
            return sorted(items, key=str) if isinstance(value, set | frozenset) else items
        case _:
            raise TypeError(f"an audit record cannot hold a {type(value).__name__}")


def _number(value: float | Decimal) -> int | float:
    """Return a number as it comes back from JSONB, which knows no exponents and no 1.0 apart from 1."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("an audit record cannot hold a number that is not finite")
    return int(number) if number.is_integer() else number
