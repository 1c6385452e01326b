"""Hardware as it was told beside what the machine says."""

from typing import Any

import pytest

from api.machines.models import Machine
from api.web.hardware import compare

MAC = "52:54:00:00:00:01"
TOLD: dict[str, Any] = {
    "serial": "SN-1",
    "boot_mac": MAC,
    "macs": [MAC],
    "cores": 8,
    "memory_mib": 65_536,
    "disk_gib": 447,
    "disk_count": 1,
}
FACTS: dict[str, Any] = {
    "serial": "SN-1",
    "cores": 8,
    "memory_mib": 64_600,
    "nics": [{"name": "eth0", "mac": MAC}],
    "disks": [{"name": "sda", "size_bytes": 480 * 10**9}],
}


def _differing(**changes: Any) -> list[str]:
    return [row.title for row in compare(Machine(**TOLD, facts=FACTS | changes)) if row.differs]


def test_a_machine_that_is_as_told_differs_in_nothing() -> None:
    """Firmware keeps some memory, and a card more is no fault: what counts is what an inspection would refuse."""
    assert _differing() == []
    assert _differing(nics=[*FACTS["nics"], {"name": "usb0", "mac": "52:54:00:00:00:09"}]) == []


@pytest.mark.parametrize(
    ("changes", "titles"),
    [
        ({"serial": "SN-2"}, ["Serial"]),
        ({"nics": []}, ["Network cards"]),
        ({"cores": 4}, ["Cores"]),
        ({"memory_mib": 32_000}, ["Memory"]),
        ({"disks": []}, ["Disks"]),
        ({"disks": [{"name": "sda", "size_bytes": 100 * 10**9}]}, ["Disks"]),
        ({"serial": "SN-2", "cores": 4}, ["Serial", "Cores"]),
    ],
)
def test_what_differs_is_marked(changes: dict[str, Any], titles: list[str]) -> None:
    """Each property by itself."""
    assert _differing(**changes) == titles


def test_disks_are_counted_by_size() -> None:
    """As one would say them."""
    disks = [{"name": name, "size_bytes": size << 30} for name, size in (("a", 447), ("b", 894), ("c", 447))]
    found = {row.title: row.found for row in compare(Machine(**TOLD, facts=FACTS | {"disks": disks}))}

    assert found["Disks"] == "2 × 447 GiB, 1 × 894 GiB"  # noqa: RUF001 - a times sign


def test_before_the_first_inspection_nothing_differs() -> None:
    """Nothing is known yet."""
    rows = compare(Machine(**TOLD, facts=None))

    assert {row.found for row in rows} == {None}
    assert not any(row.differs for row in rows)
