"""Which of a stack's history and backups may go. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

# ``<stack>-<nanoseconds>.history.json`` with its ``.checkpoint.json``, and ``<stack>.<nanoseconds>.json``, perhaps
# compressed. What bears another name was put there by somebody and is left alone.
_ENTRY = re.compile(r"/[a-z0-9-]+[-.](?P<at>[0-9]{1,20})(\.history|\.checkpoint)?\.json(\.gz|\.zst)?")


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept.

    Attributes:
        newest: so many entries of a stack are kept however old they are; at least one.
        age: those beyond that are kept for so long.
        gone: how long after its last operation a stack that was removed keeps its history and backups.
        batch: rows that are deleted by one statement, which is a transaction of its own.
        limit: rows that are deleted by one run; the next one goes on.
    """

    newest: int
    age: timedelta
    gone: timedelta
    batch: int = 100
    limit: int = 20_000

    def __post_init__(self) -> None:
        """Refuse what would delete a stack's last backup.

        Raises:
            ValueError: names the field.
        """
        if self.newest < 1 or self.batch < 1:
            raise ValueError("newest, batch: at least 1")


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of the state table.

    Attributes:
        is_old: it is older than ``Retention.age``, by the state database's clock.
        is_ancient: it is older than ``Retention.gone``.
    """

    key: str
    is_old: bool
    is_ancient: bool


def outdated(rows: Iterable[StoredRow], newest: int) -> list[str]:
    """Return the keys, of one folder of a stack that exists, that may go: old, and not among the newest entries."""
    named = [
        (int(found["at"]), row)
        for row in rows
        if (found := _ENTRY.fullmatch(row.key[row.key.rindex("/") :])) is not None
    ]
    kept = set(sorted({at for at, _ in named}, reverse=True)[:newest])
    return [row.key for at, row in named if row.is_old and at not in kept]


def left_behind(rows: Sequence[StoredRow]) -> list[str]:
    """Return the keys, of one folder of a stack that was removed, that may go: all, once the youngest is ancient."""
    return [row.key for row in rows] if all(row.is_ancient for row in rows) else []
