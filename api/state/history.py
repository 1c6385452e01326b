"""Prunes the engine's history and backups: each operation adds three rows, and nobody else ever removes one.

It must never hold up an engine. Each start of the CLI takes a lock on the whole table that waits for every open writing
transaction, so rows are deleted by key, few at a time, each batch a transaction of its own, and a batch that would have
to wait for a lock itself is left for the next run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple, TypeVar

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.state.keys import StateKeys, after
from api.state.retention import Retention, StoredRow, left_behind, outdated
from api.state.table import UNDEFINED_TABLE, state_engine

Item = TypeVar("Item")
_LOG = structlog.get_logger(__name__)
_PAGE = 1000
_STACKS_AT_ONCE = 200
_LOCK_MILLISECONDS = 200
_NOT_AVAILABLE = "55P03"
_ROWS = text("""
    SELECT key, updated_at < now() - :age AS is_old, updated_at < now() - :gone AS is_ancient
    FROM pulumi_state WHERE key ~>~ :last AND key ~<~ :beyond ORDER BY key USING ~<~ LIMIT :page
""")
_EXISTING = text("SELECT key FROM pulumi_state WHERE key = ANY(:keys)")
_DELETE = text("DELETE FROM pulumi_state WHERE key = ANY(:keys)")


class _Folder(NamedTuple):
    stack: str
    rows: Sequence[StoredRow]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a run has done.

    Attributes:
        rows: that were deleted.
        is_complete: whether nothing is left to do; else the next run goes on.
    """

    rows: int
    is_complete: bool


class StateHistory:
    """The history and backups in one state database.

    Args:
        database_url: the state's address.
    """

    def __init__(self, database_url: str) -> None:
        self.keys = StateKeys.of(database_url)
        self.engine = state_engine(database_url, lock_milliseconds=_LOCK_MILLISECONDS)

    def prune(self, retention: Retention, wanted: Callable[[Sequence[str]], set[str]]) -> Pruned:
        """Delete what may go, for as long as nothing else wants the table; blocks for seconds where there is much.

        Never a checkpoint, nor the newest entries and backups of a stack that exists.

        Args:
            retention: what is kept.
            wanted: returns those of some stacks that somebody still counts on: of these nothing goes even where the
                checkpoint is missing, for a backup is then all that is left of it.
        """
        rows = 0
        try:
            for keys in _batches(self._condemned(retention, wanted), retention.batch):
                if rows >= retention.limit:
                    return Pruned(rows, is_complete=False)
                with self.engine.connect() as connection:
                    rows += connection.execute(_DELETE, {"keys": keys}).rowcount
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state == UNDEFINED_TABLE:
                return Pruned(rows, is_complete=True)
            if state != _NOT_AVAILABLE:
                raise
            _LOG.info("state_table_busy", deleted=rows)
            return Pruned(rows, is_complete=False)
        return Pruned(rows, is_complete=True)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()

    def _condemned(self, retention: Retention, wanted: Callable[[Sequence[str]], set[str]]) -> Iterator[str]:
        for prefix in (self.keys.history(), self.keys.backups(), self.keys.checkpoints):
            for folders in _batches(self._folders(prefix, retention), _STACKS_AT_ONCE):
                stacks = [folder.stack for folder in folders]
                existing = self._existing(stacks)
                missing = [stack for stack in stacks if stack not in existing]
                kept = existing | (wanted(missing) if missing else set())
                for stack, rows in folders:
                    if stack not in kept:
                        yield from left_behind(rows)
                    elif prefix != self.keys.checkpoints:
                        yield from outdated(rows, retention.newest)

    def _folders(self, prefix: str, retention: Retention) -> Iterator[_Folder]:
        """Yield the rows of each stack below a prefix: in the order of the index all of a stack's stand together."""
        ends = "." if prefix == self.keys.checkpoints else "/"
        for stack, rows in groupby(self._rows(prefix, retention), lambda row: row.key[len(prefix) :].split(ends)[0]):
            yield _Folder(stack, list(rows))

    def _rows(self, prefix: str, retention: Retention) -> Iterator[StoredRow]:
        last = prefix
        parameters = {"age": retention.age, "gone": retention.gone, "beyond": after(prefix), "page": _PAGE}
        while True:
            with self.engine.connect() as connection:
                page = connection.execute(_ROWS, {**parameters, "last": last}).all()
            for row in page:
                yield StoredRow(row.key, row.is_old, row.is_ancient)
            if len(page) < _PAGE:
                return
            last = page[-1].key

    def _existing(self, stacks: Sequence[str]) -> set[str]:
        keys = {f"{self.keys.checkpoints}{stack}.json": stack for stack in stacks}
        with self.engine.connect() as connection:
            return {keys[key] for key in connection.execute(_EXISTING, {"keys": list(keys)}).scalars()}


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
