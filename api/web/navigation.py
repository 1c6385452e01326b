"""The pages, in the order of the menu."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu; ``role`` is the least that sees it."""

    path: str
    title: str
    role: str = "support"


NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("/admin", "Dashboard"),)),
    (
        "Changes",
        (Entry("/admin/plans", "Approvals"), Entry("/admin/operations", "Operations"), Entry("/admin/audit", "Audit")),
    ),
    ("Estate", (Entry("/admin/workloads", "Workloads"), Entry("/admin/nodes", "Nodes"))),
    (
        "Watch",
        (Entry("/admin/alerts", "Alerts"), Entry("/admin/drift", "Drift"), Entry("/admin/orphans", "Orphans")),
    ),
    ("You", (Entry("/admin/policy", "Policy"), Entry("/admin/sessions", "Sessions"))),
)
