"""Which findings staff has decided to live with. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from uuid import UUID

from api.drift.facts import Difference
from api.drift.models import DriftKind

NEVER_BLANKET = frozenset({DriftKind.MISSING, DriftKind.IDENTITY, DriftKind.UNEXPECTED})
"""Kinds that can be ignored for one named workload only: a rule for all of them would blind the scan."""


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A rule that holds now; None stands for "any"."""

    workload_id: UUID | None = None
    kind: DriftKind | None = None
    path_pattern: str | None = None

    def covers(self, workload_id: UUID, kind: DriftKind, path: str) -> bool:
        """Tell whether the rule speaks of one difference."""
        if self.workload_id is None and kind in NEVER_BLANKET:
            return False
        return (
            self.workload_id in {None, workload_id}
            and self.kind in {None, kind}
            and (self.path_pattern is None or fnmatchcase(path, self.path_pattern))
        )


def is_ignored(rules: Iterable[IgnoreRule], workload_id: UUID, kind: DriftKind, paths: Sequence[Difference]) -> bool:
    """Tell whether every difference of a finding is covered; one that is not makes the finding count."""
    known = list(rules)
    return all(any(rule.covers(workload_id, kind, difference.path) for rule in known) for difference in paths)
