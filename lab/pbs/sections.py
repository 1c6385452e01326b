"""Configuration files of sections: datastores, prune jobs, verification jobs. Plain data, no I/O."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from lab.pbs.errors import ApiError, wrong_parameter

Item = dict[str, Any]

_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,31}")
_DATASTORE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{2,31}")
_PATH = re.compile(r"/[^\0]{0,255}")
_NAMESPACE = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]{0,31}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,31})*)?")
_KEEP = tuple(f"keep-{span}" for span in ("last", "hourly", "daily", "weekly", "monthly", "yearly"))


def _text(value: Any) -> str:
    return str(value)


def _count(value: Any) -> int:
    number = int(value)
    if number < 1:
        raise ValueError("value must have a minimum value of 1")
    return number


def _depth(value: Any) -> int:
    number = int(value)
    if not 0 <= number <= 7:  # noqa: PLR2004 - MAX_NAMESPACE_DEPTH
        raise ValueError("value must have a maximum value of 7")
    return number


def _flag(value: Any) -> bool:
    if str(value).lower() not in {"0", "1", "true", "false"}:
        raise ValueError("type check ('boolean') failed")
    return str(value).lower() in {"1", "true"}


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not pattern.fullmatch(str(value)):
            raise ValueError(f"value does not match the regex pattern {pattern.pattern}")
        return str(value)

    return check


@dataclass(frozen=True)
class Kind:
    """One configuration file.

    Attributes:
        key: the parameter that names a section.
        fields: how each parameter is read; the first ones in ``required`` must be there.
        fixed: parameters that an update does not take.
        noun: what messages call it.
    """

    key: str
    fields: Mapping[str, Callable[[Any], Any]]
    required: tuple[str, ...]
    noun: str
    fixed: frozenset[str] = frozenset()

    def read(self, given: Mapping[str, Any], *, is_update: bool) -> Item:
        """Check the parameters of a create or update.

        Raises:
            ApiError: naming the first wrong one.
        """
        missing = [] if is_update else [name for name in self.required if name not in given]
        if missing:
            raise wrong_parameter(missing[0], "parameter is missing and it is not optional.")
        read: Item = {}
        for name, value in given.items():
            if name not in self.fields or (is_update and name in self.fixed):
                raise wrong_parameter(name, "schema does not allow additional properties")
            try:
                read[name] = self.fields[name](value)
            except ValueError as error:
                raise wrong_parameter(name, str(error)) from error
        return read


_JOB = {"id": _matching(_SAFE_ID), "store": _matching(_DATASTORE), "schedule": _text, "comment": _text}
_WHERE = {"ns": _matching(_NAMESPACE), "max-depth": _depth}

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "datastore": Kind(
            "name",
            {
                "name": _matching(_DATASTORE),
                "path": _matching(_PATH),
                "comment": _text,
                "gc-schedule": _text,
                "verify-new": _flag,
                "notification-mode": _text,
            },
            ("name", "path"),
            "datastore",
            frozenset({"name", "path"}),
        ),
        "prune": Kind(
            "id",
            {**_JOB, **_WHERE, "disable": _flag, **dict.fromkeys(_KEEP, _count)},
            ("id", "store", "schedule"),
            "job",
            frozenset({"id"}),
        ),
        "verify": Kind(
            "id",
            {**_JOB, **_WHERE, "ignore-verified": _flag, "outdated-after": _count},
            ("id", "store"),
            "job",
            frozenset({"id"}),
        ),
    }
)


class Sections:
    """The sections of all files."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Item]] = {kind: {} for kind in KINDS}

    def all(self, kind: str) -> list[Item]:
        """Every section of a file, by name."""
        return [self.items[kind][name] for name in sorted(self.items[kind])]

    def get(self, kind: str, name: str) -> Item:
        """One section.

        Raises:
            ApiError: if there is none.
        """
        try:
            return self.items[kind][name]
        except KeyError:
            raise ApiError(f"no such {KINDS[kind].noun} '{name}'", 404) from None

    def create(self, kind: str, given: Mapping[str, Any]) -> Item:
        """Add a section.

        Raises:
            ApiError: for a wrong parameter, a taken name, or a datastore that is not there or whose path is taken.
        """
        item = KINDS[kind].read(given, is_update=False)
        name = item[KINDS[kind].key]
        if name in self.items[kind]:
            raise wrong_parameter(KINDS[kind].key, f"{KINDS[kind].noun} '{name}' already exists.")
        if kind != "datastore":
            self.get("datastore", item["store"])
        elif any(item["path"] == other["path"] for other in self.items[kind].values()):
            raise wrong_parameter("path", f"path '{item['path']}' is already in use by another datastore")
        self.items[kind][name] = item
        return item

    def update(self, kind: str, name: str, given: Mapping[str, Any]) -> None:
        """Change a section; ``delete`` lists the parameters that go."""
        gone = given.get("delete", [])
        item = self.get(kind, name)
        changed = KINDS[kind].read({key: value for key, value in given.items() if key != "delete"}, is_update=True)
        for key in gone if isinstance(gone, list) else str(gone).split(","):
            item.pop(key, None)
        item.update(changed)

    def delete(self, kind: str, name: str) -> None:
        """Remove a section; of a datastore its jobs too."""
        self.get(kind, name)
        del self.items[kind][name]
        if kind == "datastore":
            for jobs in (self.items["prune"], self.items["verify"]):
                for job in [key for key, item in jobs.items() if item["store"] == name]:
                    del jobs[job]
