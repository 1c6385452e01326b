"""What a machine reports of its hardware, held against what is recorded."""

from typing import Any

import pytest

from api.machines.inspection import Recorded, differences

GIB = 1 << 30
RECORDED = Recorded(
    serial="SN-1", cores=8, memory_mib=65_536, disk_gib=447, disk_count=2, macs=frozenset({"52:54:00:00:00:01"})
)


def disk(name: str, gib: float = 447) -> dict[str, Any]:
    """Return a disk of a size."""
    return {"name": name, "size_bytes": int(gib * GIB), "serial": "", "model": "", "rotational": False}


def report(**changes: Any) -> dict[str, Any]:
    """Return a report of a machine that is as recorded."""
    document = {
        "serial": "SN-1",
        "cores": 8,
        "memory_mib": 64_200,
        "disks": [disk("sda", 447.13), disk("sdb", 447.13)],
        "nics": [{"name": "eth0", "mac": "52:54:00:00:00:01"}],
    }
    return document | changes


def test_a_machine_that_is_as_told_has_no_differences() -> None:
    """Linux sees a little less memory than is plugged in, and disks are no whole GiB."""
    assert differences(RECORDED, report()) == []


def test_a_card_more_is_no_difference() -> None:
    """BMCs bring network cards of their own over USB."""
    nics = [*report()["nics"], {"name": "usb0", "mac": "52:54:00:00:00:99"}]
    assert differences(RECORDED, report(nics=nics)) == []


@pytest.mark.parametrize("mib", [63_400, 67_000])
def test_memory_within_three_percent_is_as_recorded(mib: int) -> None:
    """Firmware keeps some."""
    assert differences(RECORDED, report(memory_mib=mib)) == []


def test_a_small_machine_may_lose_more_than_three_percent_to_its_kernel() -> None:
    """Of 1 GiB, kernel and firmware keep more than a thirtieth."""
    small = Recorded("SN-1", 8, 1024, 1, 1, RECORDED.macs)
    assert differences(small, report(memory_mib=960, disks=[disk("vda", 1)])) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"serial": "SN-2"}, "the serial number is 'SN-2', and 'SN-1' is recorded"),
        ({"cores": 4}, "the number of cores is 4, and 8 is recorded"),
        ({"memory_mib": 60_000}, "the memory is 60000 MiB, and 65536 MiB are recorded"),
        ({"memory_mib": 70_000}, "the memory is 70000 MiB, and 65536 MiB are recorded"),
        ({"disks": [disk("sda")]}, "there are 1 disks, and 2 are recorded"),
        (
            {"disks": [disk("sda"), disk("sdb", 400)]},
            "the disk sdb has 400.0 GiB, and 447 GiB are recorded",
        ),
        (
            {"nics": [{"name": "eth0", "mac": "52:54:00:00:00:02"}]},
            "there is no network card 52:54:00:00:00:01, which is recorded",
        ),
    ],
)
def test_each_difference_is_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    """With what was found and what is recorded: it becomes the reason of a quarantine."""
    assert differences(RECORDED, report(**changes)) == [sentence]


def test_a_report_that_says_nothing_differs_in_everything() -> None:
    """What is missing is not taken for granted."""
    assert len(differences(RECORDED, {})) == 5
