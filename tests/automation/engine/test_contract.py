"""Jobs that the engine would not survive are refused when they are made."""

from pathlib import Path
from typing import Any

import pytest

from automation.engine.contract import EngineAction, EngineJob, EngineSecrets


def job(**changes: Any) -> EngineJob:
    """Return a good job with some fields changed."""
    fields: dict[str, Any] = {
        "operation_id": "01932c07-0000-7000-8000-000000000001",
        "fence": 1,
        "stack": "w-0001",
        "action": EngineAction.UP,
        "spec": {},
        "work_root": Path("work"),
    }
    return EngineJob(**(fields | changes))


@pytest.mark.parametrize("name", ["vm_1", "..", "", "-a", "a/b", "A", "a" * 64, "ü", "a b", "a\n"])
def test_a_stack_name_is_lower_case_letters_digits_and_hyphens(name: str) -> None:
    """F10: `_` panics the CLI next to a sibling; the others leave the state store's folder or its index."""
    with pytest.raises(ValueError, match=r"^stack: "):
        job(stack=name)


@pytest.mark.parametrize("name", ["../up", "", "a/b", ".", "a b", "x" * 65])
def test_an_operation_id_cannot_leave_the_work_directory(name: str) -> None:
    """F10: it is the name of a folder."""
    with pytest.raises(ValueError, match=r"^operation_id: "):
        job(operation_id=name)


def test_a_deadline_lies_ahead() -> None:
    """An operation that may take no time cannot be done."""
    with pytest.raises(ValueError, match=r"^deadline_seconds: "):
        job(deadline_seconds=0)


def test_secrets_are_not_in_their_representation() -> None:
    """A log line or a traceback that shows the object shows none of them."""
    secrets = EngineSecrets("postgres://hunter2", "hunter3", {"TOKEN": "hunter4"})

    assert "hunter" not in repr(secrets)
