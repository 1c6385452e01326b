"""The pages, in the order of the menu."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

_PAGES: Mapping[str, str] = MappingProxyType(
    {
        "workload": "/admin/workloads",
        "operation": "/admin/operations",
        "node": "/admin/nodes",
        "plan": "/admin/plans",
        "platform_run": "/admin/platform/runs",
        "machine": "/admin/machines",
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of a menu; whoever sees the menu may look at every one."""

    path: str
    title: str


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("/admin", "Dashboard"),)),
    (
        "Changes",
        (
            Entry("/admin/plans", "Approvals"),
            Entry("/admin/operations", "Operations"),
            Entry("/admin/policy", "Policy"),
            Entry("/admin/audit", "Audit"),
        ),
    ),
    (
        "Estate",
        (
            Entry("/admin/workloads", "Workloads"),
            Entry("/admin/nodes", "Nodes"),
            Entry("/admin/machines", "Machines"),
            Entry("/admin/platform", "Platform"),
        ),
    ),
    (
        "Watch",
        (Entry("/admin/alerts", "Alerts"), Entry("/admin/drift", "Drift"), Entry("/admin/orphans", "Orphans")),
    ),
    ("You", (Entry("/admin/sessions", "Sessions"),)),
)

"""Staff's."""

CUSTOMERS_MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (("", (Entry("/my", "Your workloads"),)),)


def page_of(subject_type: str, subject_id: str) -> str | None:
    """Return the page of a thing that an alert or a record is about; None if it has none."""
    try:
        return f"{_PAGES[subject_type]}/{UUID(subject_id)}" if subject_type in _PAGES else None
    except ValueError:
        return None
