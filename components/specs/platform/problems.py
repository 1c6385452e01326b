"""Tells what is wrong with a configuration where it is wrong, when only a look at the whole of it can tell."""

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Place = tuple[str | int, ...]
"""Where in a document: keys and places in lists, from the validated model's own fields on."""


class Problem(NamedTuple):
    """What is wrong, and where; the text says what would be right."""

    place: Place
    text: str


def refuse(problems: Iterable[Problem]) -> None:
    """Raise what pydantic raises for wrong fields, with all of the problems; for use within a model's validator.

    Raises:
        ValidationError: if there is any problem.
    """
    details = [
        InitErrorDetails(type=PydanticCustomError("plan", "{problem}", {"problem": text}), loc=place, input=None)
        for place, text in problems
    ]
    if details:
        raise ValidationError.from_exception_data("configuration", details)


def repeated(names: Iterable[tuple[Place, str]], what: str) -> Iterable[Problem]:
    """One problem for each name that was there before."""
    seen: set[str] = set()
    for place, name in names:
        if name in seen:
            yield Problem(place, f"there is another {what} named '{name}': give one of them another name")
        seen.add(name)
