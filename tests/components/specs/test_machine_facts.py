"""Facts are bounded: a stranger can send them."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.specs.machine_facts import Facts


def _facts(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "serial": "SN-1",
        "product": "Standard PC (i440FX + PIIX, 1996)",
        "cores": 2,
        "memory_mib": 1987,
        "nics": [{"name": "eth0", "mac": "52-54-00-AA-00-01"}],
        "disks": [{"name": "vda", "size_bytes": 1 << 31, "serial": "", "model": "", "rotational": False}],
        "firmware": "bios",
    }
    return fields | changes


def test_facts_of_a_virtual_machine_are_understood() -> None:
    """Disks without serial numbers are usual there; MAC addresses come in any spelling."""
    facts = Facts.model_validate(_facts())

    assert facts.macs == {"52:54:00:aa:00:01"}


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": "a\nb"},
        {"serial": "ü"},
        {"serial": "x" * 129},
        {"cores": 0},
        {"memory_mib": -1},
        {"firmware": "coreboot"},
        {"nics": [{"name": "eth0; reboot", "mac": "52:54:00:aa:00:01"}]},
        {"nics": [{"name": "eth0", "mac": "01:00:5e:00:00:01"}]},
        {"nics": [{"name": "eth0", "mac": "52:54:00:aa:00:01"}, {"name": "eth0", "mac": "52:54:00:aa:00:02"}]},
        {"disks": [{"name": "../sda", "size_bytes": 1}]},
        {"disks": [{"name": "sda1,sdb", "size_bytes": 1}]},
        {"disks": [{"name": "sda", "size_bytes": -1}]},
        {"disks": [{"name": "sda", "size_bytes": 1 << 61}]},
        {"disks": [{"name": f"sd{number}", "size_bytes": 1} for number in range(129)]},
        {"disks": [{"name": "sda", "size_bytes": 1}, {"name": "sda", "size_bytes": 2}]},
        {"surprise": 1},
    ],
)
def test_facts_that_no_machine_of_ours_sends_are_refused(changes: dict[str, Any]) -> None:
    """Names that go into a plan, and sizes and counts that go into rows, are held to what Linux has."""
    with pytest.raises(ValidationError):
        Facts.model_validate(_facts(**changes))
