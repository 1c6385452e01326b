"""Hardware as it was told beside what the machine says."""

from typing import Any

import pytest

from api.machines.models import Machine
from api.web.hardware import compare

MAC = "52:54:00:00:00:01"
TOLD = {"serial": "SN-1", "boot_mac": MAC, "cores": 8, "memory_mib": 65_536, "disk_gib": 447, "disk_count": 1}
FACTS: dict[str, Any] = {
    "serial": "SN-1",
    "cores": 8,
    "memory_mib": 64_600,
    "nics": [{"name": "eth0", "mac": MAC.upper()}],
    "disks": [{"name": "sda", "size_bytes": 480 * 10**9}],
}


def _differing(**changes: Any) -> list[str]:
    return [row.title for row in compare(Machine(**TOLD, facts=FACTS | changes)) if row.differs]


def test_a_machine_that_is_as_told_differs_in_nothing() -> None:
    """Firmware keeps some memory, and a larger disk is no less than was sold."""
    assert _differing() == []
    assert _differing(disks=[{"name": "sda", "size_bytes": 960 * 10**9}]) == []


@pytest.mark.parametrize(
    ("changes", "titles"),
    [
        ({"serial": "SN-2"}, ["Serial"]),
        ({"nics": []}, ["Boot MAC"]),
        ({"cores": 4}, ["Cores"]),
        ({"memory_mib": 32_000}, ["Memory"]),
        ({"disks": []}, ["Disks", "Smallest disk"]),
        ({"disks": [{"name": "sda", "size_bytes": 100 * 10**9}]}, ["Smallest disk"]),
    ],
)
def test_what_differs_is_marked(changes: dict[str, Any], titles: list[str]) -> None:
    """Each property by itself."""
    assert _differing(**changes) == titles


def test_before_the_first_inspection_nothing_differs() -> None:
    """Nothing is known yet."""
    rows = compare(Machine(**TOLD, facts=None))

    assert [row.found for row in rows] == [None] * 6
    assert not any(row.differs for row in rows)
