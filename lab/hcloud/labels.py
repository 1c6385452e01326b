"""Labels, and the selectors that choose by them. No I/O."""

import re
from typing import Annotated

from pydantic import AfterValidator

from lab.hcloud.errors import ApiError

_PART = r"[a-z0-9A-Z](?:[\-_.a-z0-9A-Z]{0,61}[a-z0-9A-Z])?"
KEY = re.compile(rf"(?:[a-z0-9A-Z](?:[\-_.a-z0-9A-Z]{{0,251}}[a-z0-9A-Z])?/)?{_PART}")
VALUE = re.compile(rf"(?:{_PART})?")
_IN = re.compile(rf"({KEY.pattern})\s+(in|notin)\s+\(([^()]*)\)")
_COMPARE = re.compile(rf"({KEY.pattern})\s*(==|!=|=)\s*({VALUE.pattern})")
_PRESENT = re.compile(rf"(!?)\s*({KEY.pattern})")


def _checked(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if not KEY.fullmatch(key):
            raise ValueError(f"invalid label key {key!r}")
        if not VALUE.fullmatch(value):
            raise ValueError(f"invalid value {value!r} of label {key!r}")
    return labels


Labels = Annotated[dict[str, str], AfterValidator(_checked)]


def matches(selector: str, labels: dict[str, str]) -> bool:
    """Whether labels pass a selector, all of whose comma-separated conditions must hold.

    Raises:
        ApiError: ``invalid_input`` for a selector that cannot be read.
    """
    return all(_holds(part.strip(), labels) for part in re.split(r",(?![^()]*\))", selector))


def _holds(condition: str, labels: dict[str, str]) -> bool:
    if found := _IN.fullmatch(condition):
        key, how, values = found.groups()
        inside = labels.get(key) in {value.strip() for value in values.split(",")}
        return inside if how == "in" else not inside
    if found := _COMPARE.fullmatch(condition):
        key, how, value = found.groups()
        return (labels.get(key) != value) if how == "!=" else (labels.get(key) == value)
    if found := _PRESENT.fullmatch(condition):
        return (found[2] in labels) != bool(found[1])
    message = f"cannot read the condition {condition!r}"
    raise ApiError("invalid_input", f"invalid label selector: {message}", {"label_selector": message})
