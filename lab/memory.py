"""What a stand-in remembers from one run to the next.

Written when it is asked to end, read and removed at the next start: what was killed has forgotten everything, and never
comes back with a world of the day before yesterday.
"""

import pickle
from pathlib import Path
from typing import Any

from lab.document import replace_private


class Memory:
    """One file of one stand-in; without a path there is nothing to remember."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None

    def recall(self) -> Any:
        """What was kept, once; None if there is nothing."""
        if self._path is None or not self._path.exists():
            return None
        content = pickle.loads(self._path.read_bytes())  # noqa: S301 - our own file, in a folder that is this user's
        self._path.unlink()
        return content

    def keep(self, content: Any) -> None:
        """Write something for the next start, for this user's eyes only."""
        if self._path is not None:
            replace_private(self._path, pickle.dumps(content))
