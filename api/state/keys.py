"""Names of the rows in Pulumi's state table.

Every key starts with the database's name: the CLI takes the path of its backend address for a folder. The layout was
read in ``pkg/backend/diy`` of version 3.259.0; ``tests/contracts/test_state_store.py`` holds it against the real CLI.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

PROJECT = "slipway"
_STACK = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class StateKeys:
    """The keys of one state database, by the name that its keys start with."""

    database: str

    @classmethod
    def of(cls, url: str) -> "StateKeys":
        """Return the keys of the database that an address names.

        Raises:
            ValueError: if the address names no database.
        """
        database = unquote(urlsplit(url).path).strip("/")
        if not database:
            raise ValueError("the state's address names no database: postgres://host/slipway-state")
        return cls(database)

    @property
    def root(self) -> str:
        """What all keys of this database start with."""
        return f"{self.database}/.pulumi/"

    @property
    def checkpoints(self) -> str:
        """What the keys of all checkpoints, and of their ``.bak``, start with."""
        return f"{self.root}stacks/{PROJECT}/"

    def checkpoint(self, stack: str) -> str:
        """Return the key of a stack's present state; the ``.bak`` beside it is the state one save earlier."""
        return f"{self.checkpoints}{checked(stack)}.json"

    def history(self, stack: str = "") -> str:
        """Return what the keys of a stack's history start with, or of all history without a stack."""
        return _folder(f"{self.root}history/{PROJECT}/", stack)

    def backups(self, stack: str = "") -> str:
        """Return what the keys of a stack's backups start with, or of all backups without a stack."""
        return _folder(f"{self.root}backups/{PROJECT}/", stack)

    def locks(self, stack: str = "") -> str:
        """Return what the keys of a stack's locks start with, or of all locks without a stack."""
        return _folder(f"{self.root}locks/organization/{PROJECT}/", stack)


def checked(stack: str) -> str:
    """Return a stack's name if it is one.

    Raises:
        ValueError: if it is none; nobody's words become part of a key.
    """
    if not _STACK.fullmatch(stack):
        raise ValueError("stack: use 1 to 63 lower-case letters, digits and hyphens, with a letter or digit first")
    return stack


def after(prefix: str) -> str:
    """Return the least key beyond all that start with ``prefix``: a range has no wildcards to mind.

    The table's index is in the order of bytes (``text_pattern_ops``), so compare with ``~>=~`` and ``~<~``.
    """
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _folder(root: str, stack: str) -> str:
    return f"{root}{checked(stack)}/" if stack else root
