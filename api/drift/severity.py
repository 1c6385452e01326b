"""How much a finding matters. Pure rules, the first one that fits decides."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from api.drift.facts import Difference
from api.drift.models import DriftKind, Severity

_SURE_LOOKS = 2
"""A guest is missed for certain once two scans in a row have not seen it: a node that restarts lists none at first."""

_BY_PATH: tuple[tuple[str, Severity], ...] = (
    ("*macfilter*", Severity.CRITICAL),
    ("*ipfilter*", Severity.CRITICAL),
    ("OptionsLegacy.*", Severity.CRITICAL),
    ("*.name", Severity.INFO),
    ("hostname", Severity.INFO),
    ("tags*", Severity.INFO),
    ("*.tags*", Severity.INFO),
    ("*description", Severity.INFO),
)
_ORDER = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def severity_of(kind: DriftKind, paths: Sequence[Difference], sightings: int) -> Severity:
    """Return a finding's severity.

    - ``identity``: somebody else's guest sits at our number, critical at once.
    - ``missing``: a warning at the first look, critical from the second one on.
    - ``power`` and ``unexpected``: warnings. Customers switch their machines off from within.
    - Whatever the kind, the worst path counts: a smaller disk or an address filter that is off is critical, a name is
      for information.
    """
    worst = [_of_path(difference) for difference in paths]
    return max([_of_kind(kind, sightings), *worst], key=_ORDER.__getitem__)


def _of_kind(kind: DriftKind, sightings: int) -> Severity:
    if kind is DriftKind.CHANGED:
        return Severity.INFO
    is_sure = kind is DriftKind.MISSING and sightings >= _SURE_LOOKS
    return Severity.CRITICAL if is_sure or kind is DriftKind.IDENTITY else Severity.WARNING


def _of_path(difference: Difference) -> Severity:
    if difference.path == "resources.disk_gib" and _is_less(difference.after, difference.before):
        return Severity.CRITICAL
    return next((severity for pattern, severity in _BY_PATH if fnmatchcase(difference.path, pattern)), Severity.WARNING)


def _is_less(found: Any, wanted: Any) -> bool:
    return isinstance(found, int | float) and isinstance(wanted, int | float) and found < wanted
