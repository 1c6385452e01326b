"""What an engine's failure means to whoever looks after platform stacks. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from api.operations.results import AttemptEnd

_OUTPUT = re.compile(r"\s*code: -?\d+ stdout:.*", re.DOTALL)
"""What the Automation API adds to an error: all that was printed, of which the error has been told already."""
_BY_HAND = frozenset({"identity_unknown", "identity_conflict"})
_TRIED_AGAIN = frozenset(
    {
        "engine_crashed",
        "engine_killed",
        "engine_of_unknown_fate",
        "engine_unavailable",
        "internal",
        "stack_locked",
        "state_moving",
        "state_unavailable",
    }
)
"""Troubles of our own. What a provider refused is not sent again unasked: Robot shuts out after three wrong logins."""
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "already_exists": "Something with this name is there already, and the state does not know it.",
        "cancelled": "It was stopped before it had finished.",
        "engine_error": "The engine failed for a reason that we do not know.",
        "identity_conflict": "It was interrupted, and what is in the place of an unfinished create is not ours.",
        "identity_unknown": "It was interrupted, and nobody but a person can tell what became of a create.",
        "invalid_input": "A provider refused a value of the configuration.",
        "program_error": "The stack's program failed.",
        "stack_not_found": "There is no such stack yet, or a stack that it refers to: bring that up first.",
        "state_corrupt": "The stack's stored state cannot be read. Nothing was touched; bring its backup back.",
        "wrong_passphrase": "PULUMI_CONFIG_PASSPHRASE of platform.env does not decrypt the stack's state.",
    }
)
"""By code, where the words for customers would mislead."""


def for_staff(end: AttemptEnd) -> AttemptEnd:
    """Say a failure in words for staff, with the engine's own behind them."""
    if end.error_code is None:
        return end
    words = _WORDS.get(end.error_code, end.error_detail or "")
    if end.technical and end.error_code not in _BY_HAND:
        words = f"{words} {_OUTPUT.sub('', end.technical)}"
    is_ours = end.error_code in _TRIED_AGAIN
    return replace(end, error_detail=words.strip(), retryable=end.retryable and is_ours)


def attention_of(end: AttemptEnd) -> str | None:
    """Return what a person has to resolve by hand, with the commands; None where there is nothing."""
    return end.technical or end.error_detail if end.error_code in _BY_HAND else None
