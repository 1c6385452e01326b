"""How values are written on pages. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

NOTHING = "\N{EN DASH}"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MIB_PER_GIB = 1024
_MAX_VALUE = 2000

TONES: Mapping[str, str] = {
    "running": "live",
    "succeeded": "good",
    "active": "good",
    "delivered": "good",
    "paid": "good",
    "refund_due": "wait",
    "applied": "good",
    "approved": "good",
    "resolved": "good",
    "removed": "good",
    "current": "wait",
    "queued": "wait",
    "awaiting_approval": "wait",
    "pending_payment": "wait",
    "draining": "wait",
    "warning": "wait",
    "seen": "wait",
    "acknowledged": "wait",
    "provisioning": "live",
    "updating": "live",
    "repairing": "live",
    "removing": "live",
    "cancelling": "live",
    "failed": "bad",
    "needs_attention": "bad",
    "refused": "bad",
    "rejected": "bad",
    "critical": "bad",
    "open": "bad",
    "confirmed": "bad",
}
"""The colour of a status; what is not listed is grey. The word is always there too: colour alone tells nobody."""


def tone(status: str) -> str:
    """Return the colour of a status."""
    return TONES.get(str(status), "calm")


def workload_tone(status: str) -> str:
    """Return the colour of a workload's status: for it, running is how things should be."""
    return "good" if str(status) == "running" else tone(status)


def words(value: str) -> str:
    """Write a name of ours for people: ``needs_attention`` is "needs attention"."""
    return str(value).replace("_", " ")


def moment(value: datetime | None) -> str:
    """Write a time to the second, in UTC."""
    return NOTHING if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """Write a length of time in its two largest units: ``3 min 20 s``."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def between(start: datetime | None, end: datetime) -> str:
    """Write how long something took, or has been going on."""
    return NOTHING if start is None else span((end - start) / timedelta(seconds=1))


def money(cents: int | None, currency: str) -> str:
    """Write an amount: ``7.90 EUR``."""
    if cents is None:
        return NOTHING
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d} {currency.upper()}"


def memory(mebibytes: int) -> str:
    """Write a size of memory, in GiB from one on."""
    if mebibytes < _MIB_PER_GIB:
        return f"{mebibytes} MiB"
    return f"{mebibytes / _MIB_PER_GIB:,.1f} GiB".replace(".0 ", " ")


def percent(part: float, whole: float) -> float:
    """Return a share in percent, between 0 and 100."""
    return round(min(100.0, max(0.0, 100 * part / whole)), 1) if whole else 0.0


def short(value: UUID | str) -> str:
    """Shorten an id to its random end, by which people tell rows apart: a UUIDv7 begins with the time."""
    return str(value)[-8:]


def plain(value: Any) -> str:
    """Write a property's value: text as it is, everything else as JSON."""
    if isinstance(value, StrEnum):
        return value.value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}… ({len(text)} characters)"
