"""The chain's arithmetic: frozen, and sensitive to every field."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from api.audit.chain import FIELDS, genesis, seal

MOMENT = datetime(2030, 1, 31, 12, 0, 0, 5, tzinfo=UTC)
RECORD: dict[str, Any] = {
    "seq": 7,
    "at": MOMENT,
    "actor_kind": "person",
    "actor_id": UUID(int=1),
    "actor_name": "ada@example.com",
    "action": "plan.approve",
    "subject_type": "plan",
    "subject_id": "00000000-0000-0000-0000-000000000002",
    "reason": "größer",
    "plan_id": UUID(int=2),
    "diff": {"b": [1, 2.5, None, True], "a": {"x": "y"}},
    "cost_before_cents": 100,
    "cost_after_cents": 200,
    "duration_seconds": 1.5,
    "result": "approved",
    "prev_hash": "0" * 64,
}
OTHER: dict[str, Any] = {
    "seq": 8,
    "at": MOMENT + timedelta(microseconds=1),
    "actor_kind": "system",
    "actor_id": UUID(int=9),
    "diff": {"b": [1, 2.5, None, False], "a": {"x": "y"}},
    "plan_id": None,
    "cost_before_cents": 101,
    "cost_after_cents": None,
    "duration_seconds": 1.501,
}


def test_the_form_that_is_hashed_never_changes() -> None:
    """A trail of years ago must still verify: this value may not be edited."""
    assert seal(RECORD) == "c167b459cfb9b74ddeb6edb82bc8428aa23692d9375e9f4d4ef2ce22b2446f6a"


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_covered(name: str) -> None:
    """Whatever is edited, the hash is another."""
    assert seal({**RECORD, name: OTHER.get(name, "other")}) != seal(RECORD)


def test_a_moment_is_the_same_in_every_zone() -> None:
    """The database's session may have another zone than the writer's."""
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))
    assert seal({**RECORD, "at": elsewhere}) == seal(RECORD)


def test_a_first_record_is_sealed_and_names_no_other() -> None:
    """It differs from that of any other system by its moment."""
    first, other = genesis(MOMENT), genesis(MOMENT + timedelta(seconds=1))
    assert (first["seq"], first["prev_hash"], first["hash"]) == (0, "0" * 64, seal(first))
    assert first["hash"] != other["hash"]
