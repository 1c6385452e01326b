"""The chain's arithmetic: what is hashed, and how. No I/O.

The form is frozen: a change here would make every trail that exists look tampered with.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

FIRST_PREVIOUS = "0" * 64
"""What the first record names as the hash of the record before it."""

FIELDS = (
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "subject_type",
    "subject_id",
    "reason",
    "plan_id",
    "diff",
    "cost_before_cents",
    "cost_after_cents",
    "duration_seconds",
    "result",
    "prev_hash",
)
"""What the hash covers: every column but itself."""


def document(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record's fields as JSON knows them: ids and times as text, UTC to the microsecond."""
    return {name: _plain(record[name]) for name in FIELDS}


def seal(record: Mapping[str, Any]) -> str:
    """Return the hash of a record (its columns by name): SHA-256, in hexadecimal."""
    canonical = json.dumps(document(record), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def genesis(at: datetime) -> dict[str, Any]:
    """Return the first record of a trail that begins at ``at``, sealed."""
    record: dict[str, Any] = {
        **dict.fromkeys(FIELDS),
        "seq": 0,
        "at": at,
        "actor_kind": "system",
        "actor_name": "slipway",
        "action": "audit.begin",
        "subject_type": "audit",
        "subject_id": "trail",
        "reason": "the trail begins",
        "prev_hash": FIRST_PREVIOUS,
    }
    return {**record, "hash": seal(record)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    return value.value if isinstance(value, Enum) else value
